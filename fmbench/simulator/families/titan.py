"""Amazon Titan Text's bodies."""

from __future__ import annotations

from fmbench.simulator import frames
from fmbench.simulator.families.base import Ask, Generation, Json, finish_word, limits, required_text


class Titan:
    """``{"inputText", "textGenerationConfig"}`` → ``{"inputTextTokenCount", "results": [{"tokenCount", "outputText"}]}``."""

    member = "inputText"
    mark = "amazon.titan"

    def read(self, body: Json) -> Ask:
        """One prompt string, parameters in a section of their own."""
        config = body.get("textGenerationConfig") or {}
        return Ask(texts=[required_text(body, "inputText")], **limits(config, "maxTokenCount", "stopSequences"))

    def whole(self, generation: Generation) -> Json:
        """One result."""
        result = {
            "tokenCount": generation.output_tokens,
            "outputText": generation.reasoning + generation.text,
            "completionReason": _reason(generation),
        }
        return {"inputTextTokenCount": generation.prompt_tokens, "results": [result]}

    def opening(self, generation: Generation) -> list[Json]:
        """Nothing goes before the first content."""
        return []

    def events(self, generation: Generation) -> list[bytes]:
        """Text, and counts that are not known yet."""
        return [frames.body_part(_part(generation, piece, last=False)) for piece in generation.all_pieces]

    def closing(self, generation: Generation) -> list[Json]:
        """An empty part with the count and the reason."""
        return [_part(generation, "", last=True)]


def _part(generation: Generation, text: str, *, last: bool) -> Json:
    return {
        "outputText": text,
        "index": 0,
        "totalOutputTextTokenCount": generation.output_tokens if last else None,
        "completionReason": _reason(generation) if last else None,
        "inputTextTokenCount": generation.prompt_tokens,
    }


def _reason(generation: Generation) -> str:
    if generation.stop_reason == "stop_sequence":
        return "STOP_CRITERIA_MET"
    return finish_word(generation, "FINISH", "LENGTH")


FAMILY = Titan()

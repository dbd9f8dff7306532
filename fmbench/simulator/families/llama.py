"""Meta Llama's bodies."""

from __future__ import annotations

from fmbench.simulator import frames
from fmbench.simulator.families.base import Ask, Generation, Json, finish_word, limits, required_text


class Llama:
    """``{"prompt", "max_gen_len"}`` → ``{"generation", "prompt_token_count", "generation_token_count", "stop_reason"}``."""

    member = "max_gen_len"
    mark = "meta.llama"

    def read(self, body: Json) -> Ask:
        """One prompt string."""
        return Ask(texts=[required_text(body, "prompt")], **limits(body, "max_gen_len", "stop_sequences"))

    def whole(self, generation: Generation) -> Json:
        """The text and both counts."""
        return _part(generation, generation.reasoning + generation.text, generation.output_tokens, last=True)

    def opening(self, generation: Generation) -> list[Json]:
        """Nothing goes before the first content."""
        return []

    def events(self, generation: Generation) -> list[bytes]:
        """Each part counts the tokens so far."""
        size, total = generation.tokens_per_event, generation.output_tokens
        return [
            frames.body_part(_part(generation, piece, min(total, index * size), last=False))
            for index, piece in enumerate(generation.all_pieces, 1)
        ]

    def closing(self, generation: Generation) -> list[Json]:
        """An empty part with the stop reason."""
        return [_part(generation, "", generation.output_tokens, last=True)]


def _part(generation: Generation, text: str, tokens: int, *, last: bool) -> Json:
    return {
        "generation": text,
        "prompt_token_count": generation.prompt_tokens,
        "generation_token_count": tokens,
        "stop_reason": finish_word(generation, "stop", "length") if last else None,
    }


FAMILY = Llama()

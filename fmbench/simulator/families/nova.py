"""Amazon Nova's bodies: Converse's words in InvokeModel."""

from __future__ import annotations

from functools import lru_cache

from fmbench.simulator import frames
from fmbench.simulator.asks import take_blocks
from fmbench.simulator.families.base import Ask, Generation, Json, limits, texts_of


class Nova:
    """``{"messages", "inferenceConfig"}`` → ``{"output": {"message"}, "stopReason", "usage"}``."""

    member = "inferenceConfig"
    mark = "amazon.nova"

    def read(self, body: Json) -> Ask:
        """Nova takes ``maxTokens`` and, in older examples, ``max_new_tokens``."""
        config = body.get("inferenceConfig") or {}
        texts_of(body)
        ask = Ask(texts=[], **limits(config, "maxTokens", "stopSequences"))
        take_blocks(body.get("system") or [], ask.system, ask)
        for message in body["messages"]:
            content = message.get("content")
            take_blocks([{"text": content}] if isinstance(content, str) else content or [], ask.texts, ask)
        ask.max_tokens = ask.max_tokens or config.get("max_new_tokens")
        return ask

    def whole(self, generation: Generation) -> Json:
        """One block of text, after one of reasoning where there is some."""
        content = [_thought(generation.reasoning)] if generation.thought else []
        message = {"content": [*content, {"text": generation.text}], "role": "assistant"}
        return {"output": {"message": message}, "stopReason": generation.stop_reason, "usage": _usage(generation)}

    def opening(self, generation: Generation) -> list[Json]:
        """messageStart."""
        return [{"messageStart": {"role": "assistant"}}]

    def events(self, generation: Generation) -> list[bytes]:
        """contentBlockDelta parts."""
        block = 1 if generation.thought else 0
        thoughts = [_delta(piece, 0, True) for piece in generation.thought_pieces]
        return thoughts + [_delta(piece, block, False) for piece in generation.said_pieces]

    def closing(self, generation: Generation) -> list[Json]:
        """contentBlockStop, messageStop, metadata."""
        return [
            {"contentBlockStop": {"contentBlockIndex": 1 if generation.thought and generation.said else 0}},
            {"messageStop": {"stopReason": generation.stop_reason}},
            {"metadata": {"usage": _usage(generation), "metrics": {}, "trace": {}}},
        ]


def _usage(generation: Generation) -> Json:
    return {
        "inputTokens": generation.input_tokens,
        "outputTokens": generation.output_tokens,
        "totalTokens": generation.prompt_tokens + generation.output_tokens,
        "cacheReadInputTokenCount": generation.cache_read_tokens or 0,
        "cacheWriteInputTokenCount": generation.cache_write_tokens or 0,
    }


@lru_cache(maxsize=65_536)
def _delta(piece: str, block: int, thought: bool) -> bytes:
    delta = _thought(piece) if thought else {"text": piece}
    return frames.body_part({"contentBlockDelta": {"delta": delta, "contentBlockIndex": block}})


def _thought(text: str) -> Json:
    return {"reasoningContent": {"reasoningText": {"text": text}}}


FAMILY = Nova()

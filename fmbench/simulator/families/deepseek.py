"""DeepSeek-R1's text bodies: its reasoning is the beginning of the text, within ``<think>``."""

from __future__ import annotations

from functools import lru_cache

from fmbench.simulator import frames
from fmbench.simulator.families.base import Ask, Generation, Json, finish_word, limits, required_text


class DeepSeek:
    """``{"prompt", "max_tokens"}`` → ``{"choices": [{"text", "stop_reason"}]}``; counts are in headers and metrics only."""

    member = None
    mark = "deepseek.r1"

    def read(self, body: Json) -> Ask:
        """One prompt string."""
        return Ask(texts=[required_text(body, "prompt")], **limits(body, "max_tokens", "stop"))

    def whole(self, generation: Generation) -> Json:
        """One choice."""
        return _part("".join(_pieces(generation)), finish_word(generation, "stop", "length"))

    def opening(self, generation: Generation) -> list[Json]:
        """Nothing goes before the first content."""
        return []

    def events(self, generation: Generation) -> list[bytes]:
        """One choice a part."""
        return [_delta(piece) for piece in _pieces(generation)]

    def closing(self, generation: Generation) -> list[Json]:
        """An empty choice with the stop reason."""
        return [_part("", finish_word(generation, "stop", "length"))]


def _pieces(generation: Generation) -> list[str]:
    thoughts = list(generation.thought_pieces)
    if thoughts:
        thoughts[0] = "<think>" + thoughts[0]
        thoughts[-1] += "</think>"
    return thoughts + generation.said_pieces


def _part(text: str, reason: str | None) -> Json:
    return {"choices": [{"index": 0, "text": text, "stop_reason": reason}]}


@lru_cache(maxsize=65_536)
def _delta(piece: str) -> bytes:
    return frames.body_part(_part(piece, None))


FAMILY = DeepSeek()

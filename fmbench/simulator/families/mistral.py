"""Mistral's text bodies."""

from __future__ import annotations

from functools import lru_cache

from fmbench.simulator import frames
from fmbench.simulator.families.base import Ask, Generation, Json, finish_word, limits, required_text


class Mistral:
    """``{"prompt", "max_tokens"}`` → ``{"outputs": [{"text", "stop_reason"}]}``; counts are in headers and metrics only."""

    member = None
    mark = None  # its later models take chat bodies

    def read(self, body: Json) -> Ask:
        """One prompt string."""
        return Ask(texts=[required_text(body, "prompt")], **limits(body, "max_tokens", "stop"))

    def whole(self, generation: Generation) -> Json:
        """One output."""
        return _part(generation.reasoning + generation.text, finish_word(generation, "stop", "length"))

    def opening(self, generation: Generation) -> list[Json]:
        """Nothing goes before the first content."""
        return []

    def events(self, generation: Generation) -> list[bytes]:
        """One output a part."""
        return [_delta(piece) for piece in generation.all_pieces]

    def closing(self, generation: Generation) -> list[Json]:
        """An empty output with the stop reason."""
        return [_part("", finish_word(generation, "stop", "length"))]


def _part(text: str, reason: str | None) -> Json:
    return {"outputs": [{"text": text, "stop_reason": reason}]}


@lru_cache(maxsize=65_536)
def _delta(piece: str) -> bytes:
    return frames.body_part(_part(piece, None))


FAMILY = Mistral()

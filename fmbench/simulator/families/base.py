"""What a body family of InvokeModel has to say: how its prompts are read, and how its answers look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fmbench.simulator import errors
from fmbench.simulator.asks import Ask, Json, check_ranges
from fmbench.simulator.generation import Generation

__all__ = ["Ask", "Family", "Generation", "Json", "finish_word", "limits", "required_text", "texts_of"]


class Family(Protocol):
    """One shape of request and answer bodies: an entry of this folder is a module with one of these as ``FAMILY``."""

    @property
    def member(self) -> str | None:
        """A member that only this family's requests have: it tells the family whatever the id is (ARNs tell nothing)."""

    @property
    def mark(self) -> str | None:
        """What ids of its models have in them, where that tells the shape."""

    def read(self, body: Json) -> Ask:
        """The prompt and parameters in ``body``; raises ``ServiceError`` where AWS would refuse it."""

    def whole(self, generation: Generation) -> Json:
        """An InvokeModel answer."""

    def opening(self, generation: Generation) -> list[Json]:
        """What a stream sends before the first content."""

    def events(self, generation: Generation) -> list[bytes]:
        """A frame for each piece of content."""

    def closing(self, generation: Generation) -> list[Json]:
        """What a stream sends after the last content; at least one part."""


def required_text(body: Json, name: str) -> str:
    """The text member ``name``, which may not be missing or blank."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        problem = f"#: required key [{name}] not found"
        raise errors.validation(f"Malformed input request: {problem}, please reformat your input and try again.")
    return value


def texts_of(body: Json, wanted: Callable[[Any], bool] = lambda role: True) -> list[str]:
    """The text of every message of a ``wanted`` role, its content a string or a list of blocks; no message is refused."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise errors.validation("messages: at least one message is required")
    return [text for message in messages if wanted(message.get("role")) for text in _texts(message.get("content"))]


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    blocks = content if isinstance(content, list) else []
    return [block["text"] for block in blocks if isinstance(block, dict) and isinstance(block.get("text"), str)]


def limits(body: Mapping[str, Any], max_tokens: str, stop_sequences: str) -> dict[str, Any]:
    """``max_tokens`` and ``stop_sequences`` of an ask under the family's own names, with every bounded value checked."""
    check_ranges(body)
    return {"max_tokens": body.get(max_tokens), "stop_sequences": list(body.get(stop_sequences) or ())}


def finish_word(generation: Generation, ended: str, cut: str) -> str:
    """The family's word for why the answer is over: by itself, or by its length."""
    return cut if generation.stop_reason == "max_tokens" else ended

"""What a body family has to say for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fmbench.bedrock.cache_points import Asking
from fmbench.bedrock.foreign import count as count
from fmbench.bedrock.foreign import items as items
from fmbench.config.schema import Inference
from fmbench.core.failures import UnusableInput

Json = dict[str, Any]


@dataclass(slots=True)
class Piece:
    """What one JSON body says: a whole answer, or one chunk of a streamed one."""

    text: str = ""
    reasoning: str = ""
    tool: bool = False
    refused: bool = False
    stop_reason: Any = None
    """As the model said it; ``foreign.word`` checks it when it is taken."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None

    @property
    def has_content(self) -> bool:
        """Whether anything was generated in it."""
        return bool(self.text or self.reasoning or self.tool)


@dataclass(slots=True, frozen=True)
class Family:
    """How to ask (``body``), and how to read an answer (``whole``) or a chunk of one (``chunk``)."""

    name: str
    mark: str | None
    """What ids of its models have in them; None: it is named, and read from no id."""
    body: Callable[[str, str, Inference], Json]
    """(model id, prompt, inference) → the request's JSON body, without additional fields."""
    whole: Callable[[Json], Piece]
    chunk: Callable[[Json], Piece]
    unsupported: tuple[str, ...] = field(default=())
    """Inference parameters that this body has no place for."""
    more_marks: tuple[str, ...] = ()
    """What ids of other makers' models have in them, which are asked in the same way."""
    thinks: bool = False
    """Whether ``effort`` and ``thinking`` have a place in it."""
    cache: Callable[[Json, Asking], Json] | None = None
    """(body, what is asked) → the body with its cache points; None: it has no place for them."""
    markups: tuple[str, ...] = ()
    """The families, one of which its models are of: each says how prompts are marked up. Empty: they are all asked alike."""
    markup_of: Callable[[str], str | None] = lambda model_id: None
    """(model id) → which of ``markups`` it is; None: the id does not tell."""

    def is_of(self, model_id: str) -> bool:
        """Whether an id says that the model is one of these."""
        return self.mark is not None and any(mark in model_id.lower() for mark in (self.mark, *self.more_marks))


def request_body(family: Family, model_id: str, prompt: str, inference: Inference) -> Json:
    """The body to send, additional fields included. Raises ``UnusableInput`` for a parameter with no place in it."""
    for name in family.unsupported:
        if getattr(inference, name) is not None:
            raise UnusableInput(
                f"models: {model_id}: inference.{name} has no place in the InvokeModel body of {family.name} models. "
                "Leave it out, put what the model takes under additional_model_request_fields, or use api: converse-stream."
            )
    if not family.thinks and (inference.effort is not None or inference.thinking is not None):
        raise UnusableInput(
            f"models: {model_id}: inference.effort and inference.thinking have no known form in the InvokeModel body of "
            f"{family.name} models. Use api: converse-stream, or put what the model takes under additional_model_request_fields."
        )
    return family.body(model_id, prompt, inference) | (inference.additional_model_request_fields or {})


def untold(name: str, model_id: str, markups: tuple[str, ...]) -> UnusableInput:
    """A model of a family whose markup its id does not tell."""
    return UnusableInput(
        f"models: the id {model_id!r} does not say how prompts for it are marked up, and {name} models differ in that. "
        f"Write family: {' | '.join(markups)}, or use api: converse-stream, where Bedrock does it."
    )


def given(**values: Any) -> Json:
    """Those values that were given."""
    return {name: value for name, value in values.items() if value is not None}


def mapping(value: Any) -> Json:
    """The value when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text_of(value: Any) -> str:
    """The value when it is text, else ""."""
    return value if isinstance(value, str) else ""


def first(values: Any) -> Json:
    """The first object of a JSON list, or an empty one."""
    return mapping(values[0]) if isinstance(values, list) and values else {}

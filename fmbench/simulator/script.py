"""What is going to be written in answer to one request, and when: the plan that ``playing`` carries out and faults alter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from fmbench.simulator import frames
from fmbench.simulator.errors import ServiceError


class Ending(Enum):
    """What becomes of the connection after the last byte."""

    KEEP = auto()
    CLOSE = auto()
    RESET = auto()


@dataclass(slots=True, frozen=True)
class Spent:
    """What a request has taken so far, milliseconds: what ``metrics`` tells."""

    total_ms: int
    first_ms: int


@dataclass(slots=True, kw_only=True)
class Script:
    """An answer as bytes in three parts: ``head`` when the model starts, ``events`` as tokens come, ``tail`` after the last.

    An answer that does not stream has ``silent_tokens`` in place of events, and all its bytes in ``tail``.
    """

    status: int
    tail: Callable[[Spent], bytes]
    head: bytes = b""
    events: list[bytes] = field(default_factory=list)
    silent_tokens: int = 0
    served: bool = True
    """Whether a model works on it: takes a slot, and time. Errors are answered at once."""
    whole: bool = True
    """Whether the client gets all of a healthy answer."""
    tells_usage: bool = True
    error: str | None = None
    ending: Ending = Ending.KEEP
    wait_ns: int = 0
    """Nothing at all is written for so long."""
    stall_at: int | None = None
    """Before this event (or in the middle of the tail, when nothing streams) comes a pause of ``stall_ns``."""
    stall_ns: int = 0
    drip_ns: int | None = None
    """After the events, one byte at a time with so much between them."""
    in_stream: Callable[[ServiceError], bytes] = frames.exception
    """How an error is told within the stream."""
    refuse: Callable[[ServiceError, str], Script] = field(default=lambda problem, _request_id: _no_shape(problem))
    """(problem, request id) → an error told in the place of this answer, as the API shapes it."""

    @property
    def streams(self) -> bool:
        """Whether content is sent as it comes."""
        return self.silent_tokens == 0


def _no_shape(problem: ServiceError) -> Script:
    raise problem


def at_once(data: bytes, *, status: int, error: str | None, ending: Ending = Ending.KEEP) -> Script:
    """An answer that no model works on: an error, or a page of a proxy."""
    return Script(
        status=status, tail=lambda _spent: data, served=False, whole=False, tells_usage=False, error=error, ending=ending
    )

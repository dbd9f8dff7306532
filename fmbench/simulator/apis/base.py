"""What an API of the endpoint has to say: where it is called, how its prompts are read, how its answers and errors look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fmbench.simulator import replies
from fmbench.simulator.asks import Ask, Json
from fmbench.simulator.behaviour import FaultKind
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.faults import CHECKSUM_ONLY, STREAM_ONLY
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Request
from fmbench.simulator.script import Script

Asking = Callable[[Request, str, Json], Ask]
"""(request, model id, body) → what it asks. Raises ``ServiceError`` where AWS would refuse it."""


def never(_body: Json) -> bool:
    """An API whose answers come in one piece."""
    return False


def always(_body: Json) -> bool:
    """An API whose answers are streams."""
    return True


@dataclass(slots=True, frozen=True, kw_only=True)
class Api:
    """One API: an entry of this folder is a module with one of these as ``API``.

    It is called at ``/model/<id>/<verb>``, or at one of ``paths``, and then the body names the model.
    """

    operation: str
    """The ledger's word for it."""
    read: Asking
    write: Callable[[Generation, Json], Script]
    """(answer, request body) → its bytes."""
    verb: str | None = None
    paths: tuple[str, ...] = ()
    streams: Callable[[Json], bool] = never
    checksums: bool = False
    """Whether streamed messages carry checksums."""
    error: Callable[[ServiceError, str], Script] = replies.error
    """(problem, request id) → an error before any content."""
    count: Callable[[int, str], Script] | None = None
    """(prompt tokens, request id) → the answer of an API that only counts."""

    def spared(self, body: Json) -> frozenset[FaultKind]:
        """The faults that an answer has no way to show."""
        if not self.streams(body):
            return STREAM_ONLY
        return frozenset() if self.checksums else CHECKSUM_ONLY

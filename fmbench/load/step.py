"""A step: one attempt at one cell, as a load process carries it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from gevent.event import Event

from fmbench.core.records import Cell
from fmbench.load.budget import Lease
from fmbench.load.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOrder:
    """What the controller tells one worker about a step."""

    run_id: str
    number: int
    cell: Cell
    slots: list[int]
    spread_s: float
    requests: int | None
    usd: float | None

    def to_message(self) -> dict[str, Any]:
        """As Locust's messages carry it."""
        return {name: getattr(self, name) for name in self.__slots__} | {"cell": list(self.cell)}

    @classmethod
    def from_message(cls, data: dict[str, Any]) -> StepOrder:
        """The order that ``to_message`` wrote."""
        return cls(**{**data, "cell": Cell(*data["cell"])})


@dataclass(slots=True, kw_only=True)
class Step:
    """The running state of a step in one process. A request belongs to the phase in which its bytes went out."""

    order: StepOrder
    lease: Lease
    tally: Tally = field(default_factory=Tally)
    slots: deque[int] = field(default_factory=deque)
    opened_ns: int = 0
    measure_ns: int | None = None
    closed_ns: int | None = None
    users: int = 0
    """How many users are inside."""
    closed: Event = field(default_factory=Event)
    empty: Event = field(default_factory=Event)

    def take_slot(self) -> int | None:
        """A user's place in this step; None when all are taken, or the step is over."""
        if not self.slots or self.closed_ns is not None:
            return None
        self.users += 1
        return self.slots.popleft()

    def leave(self) -> None:
        """A user has left; the last one out after the end says so."""
        self.users -= 1
        self._say_if_empty()

    def measure(self) -> None:
        """The warm-up is over."""
        if self.measure_ns is None:
            self.measure_ns = time.monotonic_ns()

    def close(self) -> None:
        """No more requests."""
        if self.closed_ns is None:
            self.closed_ns = time.monotonic_ns()
            self.closed.set()
            self._say_if_empty()

    def phase_at(self, stamp_ns: int) -> str:
        """The phase at a stamp of ``time.monotonic_ns``; ``drain`` is for what slipped out as the gate closed."""
        if self.closed_ns is not None and stamp_ns > self.closed_ns:
            return "drain"
        return "measure" if self.measure_ns is not None and stamp_ns >= self.measure_ns else "warmup"

    def _say_if_empty(self) -> None:
        if self.closed_ns is not None and self.users == 0:
            self.empty.set()

"""A step: one attempt at one cell, as a load process carries it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gevent.event import Event

from fmbench.core.failures import Outcome
from fmbench.core.records import Record
from fmbench.load.protocol import StepOrder
from fmbench.load.slices import Slices
from fmbench.load.tally import Tally
from fmbench.load.worker.arrivals import Arrivals
from fmbench.load.worker.lease import Lease

if TYPE_CHECKING:
    from fmbench.load.worker.burst import Volley


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
    arrivals: Arrivals | None = None
    """When requests are due in an open loop; None: a closed one."""
    volley: Volley | None = None
    """This process's part of a burst; None: the step has none."""
    users: int = 0
    """How many users are inside."""
    closed: Event = field(default_factory=Event)
    no_more_attempts: Event = field(default_factory=Event)
    """No request that failed may be tried again: the step ends at once, or has waited long enough."""
    empty: Event = field(default_factory=Event)
    _slices: Slices | None = field(init=False)
    """The counts of the tally by slices of time and by users; None: none are asked for."""

    def __post_init__(self) -> None:
        counting, tally = self.order.counting, self.tally
        self._slices = None if counting is None else Slices(counting, tally.slices, tally.users)
        if self._slices is not None and self.order.cell.rate_per_min is None:
            self._slices.of_users(self.order.slots)

    @property
    def over(self) -> bool:
        """Whether no request may begin any more."""
        return self.closed_ns is not None

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

    def open(self, measured: bool, at_ns: int | None = None) -> None:
        """The gate opens: the step's time runs from here, or from ``at_ns``. ``measured``: its window begins at once."""
        self.opened_ns = time.monotonic_ns() if at_ns is None else at_ns
        if measured:
            self.measure_ns = self.opened_ns

    def measure(self) -> None:
        """The warm-up is over."""
        if self.measure_ns is None:
            self.measure_ns = time.monotonic_ns()

    def close(self, attempts_go_on: bool = False) -> None:
        """No more requests; those that have begun are tried again, if at all, only where their ``attempts_go_on``."""
        if not attempts_go_on:
            self.no_more_attempts.set()
        if self.closed_ns is None:
            self.closed_ns = time.monotonic_ns()
            self.closed.set()
            self._say_if_empty()

    def begin_request(self) -> int | None:
        """A request begins. Returns the slice of the measured window that it counts in, for ``end_request``."""
        slices = self._slices
        if slices is None or (after_s := self._measured_s()) is None:
            return None
        return slices.sent(after_s)

    def drop_request(self, due_ns: int) -> None:
        """A request of an open loop that was due at this stamp could not be started."""
        slices = self._slices
        if slices is not None and self.measure_ns is not None and due_ns >= self.measure_ns:
            slices.dropped((due_ns - self.measure_ns) / 1e9)

    def end_request(self, number: int | None, record: Record) -> None:
        """A request is over, with all its attempts; ``record`` is the whole of it."""
        if self.tally.whole is not None:
            self.tally.whole.add(record)
        slices = self._slices
        if slices is None or (after_s := self._measured_s()) is None:
            return
        if number is not None:
            slices.ended(number, record)
        if record.outcome == Outcome.OK:
            slices.completed(after_s, record)

    def _measured_s(self) -> float | None:
        return None if self.measure_ns is None else (time.monotonic_ns() - self.measure_ns) / 1e9

    def phase_at(self, stamp_ns: int) -> str:
        """The phase at a stamp of ``time.monotonic_ns``; ``drain`` is for what slipped out as the gate closed."""
        if self.closed_ns is not None and stamp_ns > self.closed_ns:
            return "drain"
        return "measure" if self.measure_ns is not None and stamp_ns >= self.measure_ns else "warmup"

    def _say_if_empty(self) -> None:
        if self.closed_ns is not None and self.users == 0:
            self.empty.set()

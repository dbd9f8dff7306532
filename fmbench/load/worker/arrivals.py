"""The requests of an open loop that are this process's: the plan's, by the slots that it carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """The plan's request ``number`` (from 0). ``due_s``: seconds after the loop is opened."""

    number: int
    due_s: float


class Arrivals:
    """Hands out one arrival after the other. Request number n is for whoever carries slot n modulo the number of slots, so that
    any number of load processes together send the same plan."""

    def __init__(self, plan: Iterator[float], slots: list[int], of: int) -> None:
        own = set(slots)
        plan = plan if own else iter(())  # it may go on without end, and has nothing for a process without a slot
        self._ours = (Arrival(number, due_s) for number, due_s in enumerate(plan) if number % of in own)
        self._ahead: Arrival | None = None

    def take(self) -> Arrival | None:
        """The next one; None when there is none any more."""
        ahead, self._ahead = self._ahead, None
        return ahead or next(self._ours, None)

    def overdue(self, before_s: float) -> Iterator[Arrival]:
        """Take all that were due before ``before_s``."""
        while (arrival := self.take()) is not None:
            if arrival.due_s >= before_s:
                self._ahead = arrival
                return
            yield arrival

"""The gate at which users park between steps: it opens for one step at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gevent.event import Event

from fmbench.load.worker.step import Step

if TYPE_CHECKING:
    from fmbench.load.worker.participation import Participation


class Gate:
    """Users wait here. Opening lets every user that has not seen the step go on to it."""

    def __init__(self) -> None:
        self._open: tuple[Participation, Step] | None = None
        self._opened = Event()

    def wait(self, seen: Step | None) -> tuple[Participation, Step]:
        """Park until a step other than ``seen`` is open, and return it with what carries it."""
        while self._open is None or self._open[1] is seen:
            self._opened.wait()
        return self._open

    def open(self, part: Participation, step: Step) -> None:
        """Let users into ``step``."""
        self._open = (part, step)
        parked, self._opened = self._opened, Event()
        parked.set()

    def close(self) -> None:
        """Let nobody in."""
        self._open = None

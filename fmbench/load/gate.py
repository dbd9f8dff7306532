"""The gate at which users park between steps: it opens for one step at a time."""

from __future__ import annotations

from gevent.event import Event

from fmbench.load.step import Step


class Gate:
    """Users wait here. Opening lets every user that has not seen the step go on to it."""

    def __init__(self) -> None:
        self._step: Step | None = None
        self._opened = Event()

    def wait(self, seen: Step | None) -> Step:
        """Park until a step other than ``seen`` is open, and return it."""
        while self._step is None or self._step is seen:
            self._opened.wait()
        return self._step

    def open(self, step: Step) -> None:
        """Let users into ``step``."""
        self._step = step
        parked, self._opened = self._opened, Event()
        parked.set()

    def close(self) -> None:
        """Let nobody in."""
        self._step = None

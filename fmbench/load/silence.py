"""A load process says once a second that it lives, over a pipe; who started it ends one that stands still for ever, or hangs."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field

from fmbench.load.deadlines import FIRST_WORD_S, PULSE_S, STILL_S

VARIABLE = "FMBENCH_ALIVE"
"""The descriptor of the pipe's writing end."""
OWN_S = 1.0
"""Between two looks the watcher counts at most so much: one that stood still itself blames nobody."""


def say_alive() -> None:
    """Say it once a second from here on, as long as this process's event loop turns. Nobody who reads is needed."""
    given = os.environ.get(VARIABLE, "")
    if not given.isdigit():
        return
    import gevent  # the other side of the pipe is plain Python

    pipe = int(given)
    with suppress(OSError):
        os.set_blocking(pipe, False)

    def beat() -> None:
        while True:
            with suppress(OSError):
                os.write(pipe, b".")
            gevent.sleep(PULSE_S)

    gevent.spawn(beat)


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    return reading, writing


@dataclass(slots=True)
class Silence:
    """How long a load process has said nothing: a bound (``leaving.py``) from its first word on, and a longer one before."""

    pid: int = 0
    """The process that is listened to."""
    _ends: tuple[int, int] = field(default_factory=_pipe)
    _silent_s: float = 0.0
    _looked: float = field(default_factory=time.monotonic)
    _heard: bool = False

    @property
    def writing(self) -> int:
        """The end that the load process writes to."""
        return self._ends[1]

    @property
    def within_s(self) -> float:
        """How long it may be silent."""
        return STILL_S if self._heard else FIRST_WORD_S

    @property
    def said(self) -> str:
        """Why a process that is past it is killed."""
        return f"load process {self.pid} has not answered for {self.within_s:g} s (it was stopped, or hangs): it is killed"

    def is_past(self) -> bool:
        """Whether it is silent for too long."""
        now = time.monotonic()
        self._silent_s += min(now - self._looked, OWN_S)
        self._looked = now
        if self._is_heard():
            self._silent_s, self._heard = 0.0, True
        return self._silent_s > self.within_s

    def close(self) -> None:
        """Nobody listens any more."""
        for end in self._ends:
            os.close(end)

    def _is_heard(self) -> bool:
        try:
            return bool(os.read(self._ends[0], 1 << 16))
        except OSError:
            return False

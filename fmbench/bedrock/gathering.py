"""How often gevent's loop looks for bytes: while many answers are read, it lets what arrives gather for a millisecond.

To wake for each event of each stream takes more time than to read it. Gathered reads are late by up to a millisecond, which is
in no figure as long as the kernel stamps arrivals: one answer that is read without stamps, or one connection that is being
made, and the loop wakes for each again. Timers are not delayed, nor what is alone: libev waits after a look, not before it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL, c_double, c_void_p
from typing import Any

INTERVAL_S = 0.001
ENOUGH = 16
"""So many answers at a time. With fewer, most events would come alone, and the wait would be one more call for each."""


class Gathering:
    """What one loop is waiting for, and the interval that fits it. libev's own ``ev_set_io_collect_interval`` sets it.

    Other loops than gevent's libev have no such interval, and wake for each event.
    """

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._set_interval = _libev_of(loop)
        self._stamped = self._unstamped = 0
        self.on = False
        """Whether the loop lets what arrives gather."""

    def begin(self, stamped: bool) -> None:
        """An answer is being read from now on; whether the kernel stamps its bytes."""
        if stamped:
            self._stamped += 1
        else:
            self._unstamped += 1
        self._adapt()

    def end(self, stamped: bool) -> None:
        """It is not any more."""
        if stamped:
            self._stamped -= 1
        else:
            self._unstamped -= 1
        self._adapt()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While this lasts each event wakes the loop: something is timed that has no stamps."""
        self.begin(stamped=False)
        try:
            yield
        finally:
            self.end(stamped=False)

    def _adapt(self) -> None:
        wanted = self._stamped >= ENOUGH and not self._unstamped
        if wanted != self.on and self._set_interval is not None:
            self._set_interval(self._loop.ptr, INTERVAL_S if wanted else 0.0)
            self.on = wanted


def _libev_of(loop: Any) -> Any:
    """The function of the libev that this loop is one of; None for a loop of another kind."""
    try:
        setter = CDLL(str(sys.modules[type(loop).__module__].__file__)).ev_set_io_collect_interval
    except (OSError, AttributeError):
        return None
    setter.argtypes, setter.restype = (c_void_p, c_double), None
    return setter

"""Calls at exact times: a heap over one ``timerfd``.

libuv and epoll round timeouts to milliseconds, which is too coarse for a server whose stamps are the truth that others are
measured by. A ``timerfd`` wakes the loop to within tens of microseconds. Off Linux there is none, and
``call_later`` stands in.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import CLOCK_MONOTONIC, monotonic_ns

Call = Callable[[int], None]
"""Takes the time it was due, in nanoseconds of ``time.monotonic_ns``."""

_ABSOLUTE = 1
_NON_BLOCKING = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_AT_ONCE = 512
"""So many late calls are made before the sockets are looked at again."""


class _Interval(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class _KernelAlarm:
    """Wakes the loop at one absolute time, by ``timerfd``."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = libc.timerfd_create(CLOCK_MONOTONIC, _NON_BLOCKING)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._time = _Interval()
        self._reference = ctypes.byref(self._time)
        self._settime = libc.timerfd_settime
        loop.add_reader(self._descriptor, wake)

    def set(self, due_ns: int) -> None:
        """Wake at ``due_ns``; one that is past wakes at once. Replaces the time set before."""
        self._time.value_s, self._time.value_ns = divmod(max(due_ns, 1), 1_000_000_000)
        self._settime(self._descriptor, _ABSOLUTE, self._reference, None)

    def off(self) -> None:
        """Do not wake."""
        self._time.value_s = self._time.value_ns = 0
        self._settime(self._descriptor, _ABSOLUTE, self._reference, None)


class _LoopAlarm:
    """The same by ``call_later``, good to a millisecond."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._loop, self._wake = loop, wake
        self._handle: asyncio.TimerHandle | None = None

    def set(self, due_ns: int) -> None:
        """Wake at ``due_ns``."""
        self.off()
        self._handle = self._loop.call_later(max(due_ns - monotonic_ns(), 0) / 1e9, self._wake)

    def off(self) -> None:
        """Do not wake."""
        if self._handle is not None:
            self._handle.cancel()


class Timers:
    """Calls back at times of ``time.monotonic_ns``, each as soon as it is due and in the order of their times."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        alarm = _KernelAlarm if sys.platform == "linux" else _LoopAlarm
        self._alarm: _KernelAlarm | _LoopAlarm = alarm(loop, self._fire)
        self._heap: list[tuple[int, int, Call]] = []
        self._order = count()
        self._firing = False

    def at(self, due_ns: int, call: Call) -> None:
        """Make ``call(due_ns)`` at ``due_ns``."""
        heap = self._heap
        entry = (due_ns, next(self._order), call)
        heappush(heap, entry)
        if heap[0] is entry and not self._firing:
            self._alarm.set(due_ns)

    def _fire(self) -> None:
        heap = self._heap
        self._firing = True
        try:
            for _ in range(_AT_ONCE):
                if not heap or heap[0][0] > monotonic_ns():
                    break
                due_ns, _order, call = heappop(heap)
                call(due_ns)
        finally:
            self._firing = False
            if heap:
                self._alarm.set(heap[0][0])
            else:
                self._alarm.off()

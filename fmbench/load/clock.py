"""The time of day as a run counts it: read once, then kept by the steady clock, so that a clock that is set moves no window."""

from __future__ import annotations

import time

_offset_ns = time.time_ns() - time.monotonic_ns()


def begin() -> None:
    """Read the time of day: a run begins for this process."""
    global _offset_ns
    _offset_ns = time.time_ns() - time.monotonic_ns()


def offset_ns() -> int:
    """What the steady clock is behind the time of day, as it was read."""
    return _offset_ns


def now() -> float:
    """UTC epoch seconds, on the clock that the records use."""
    return (time.monotonic_ns() + _offset_ns) / 1e9

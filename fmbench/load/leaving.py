"""Load processes end, whatever hangs in them: one that is late is killed, and the run goes on to its account."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fmbench.load.deadlines import CLOSE_S, LEAVE_S

LOOK_S = 0.2
OVER, CLOSED = ".over", ".closed"
"""Marks that a load process leaves in its ``FMBENCH_SCRATCH``: its part of the load is over; its web page was closed."""


class Limit(Protocol):
    """What a load process may not pass."""

    @property
    def said(self) -> str:
        """Why one that is past it is killed."""

    def is_past(self) -> bool:
        """Whether a process that still runs is late."""


@dataclass(slots=True)
class Bound:
    """Something after which a load process has to end: what that is, whether it has come, and how long it may take then."""

    what: str
    come: Callable[[], object]
    within_s: float
    since: float | None = None

    @property
    def said(self) -> str:
        """Why one that is past it is killed."""
        return f"{self.what}, and a load process did not end within {self.within_s:g} s: it is killed"

    def is_past(self) -> bool:
        """Whether a process that still runs is late."""
        now = time.monotonic()
        self.since = now if self.since is None and self.come() else self.since
        return self.since is not None and now - self.since > self.within_s


def bounds_of(scratch: Path, heard: Sequence[int], result: Path | None = None) -> list[Bound]:
    """Those of a load process in ``scratch`` that is told of the signals in ``heard`` and, on a master, writes load.json."""
    written = [] if result is None else [Bound("the load is over", result.exists, LEAVE_S)]
    over = Bound("its part of the load is over", (scratch / OVER).exists, CLOSE_S)
    return [*written, over, *page_bounds(scratch, heard)]


def page_bounds(scratch: Path, heard: Sequence[int]) -> list[Bound]:
    """Those of a load process of which only the web page is left."""
    closed = Bound("its page was closed", (scratch / CLOSED).exists, CLOSE_S)
    return [closed, Bound("it was told to end", lambda: heard, CLOSE_S)]


def mark(name: str) -> None:
    """A load process says to who started it that its end has begun."""
    with suppress(OSError, KeyError):
        (Path(os.environ["FMBENCH_SCRATCH"]) / name).touch()


def forget_marks(scratch: Path) -> None:
    """Take the marks away: those of an earlier load in the same folder, and of one that has ended."""
    for name in (OVER, CLOSED):
        with suppress(OSError):
            (scratch / name).unlink()


def leave_within(
    processes: Mapping[subprocess.Popen[bytes], Sequence[Limit]], unless: Callable[[], bool] = lambda: False
) -> str | None:
    """Wait for the end of all ``processes``, and kill each that is past a limit; back at once when ``unless`` says so.

    Returns why the last one was killed; None: all ended by themselves. What a killed one wrote is sealed and accounted for; the
    rest of its group is the caller's to end.
    """
    said = None
    while left := [process for process in processes if process.poll() is None]:
        if unless():
            return said
        for process in left:
            passed = next((limit for limit in processes[process] if limit.is_past()), None)
            if passed is not None:
                said = passed.said
                print(f"fmbench-load: warning: {said}.", file=sys.stderr, flush=True)
                process.kill()
                process.wait()
        with suppress(subprocess.TimeoutExpired):
            left[0].wait(LOOK_S)
    return said

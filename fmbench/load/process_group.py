"""The load processes of a run are one process group: who is left of it when Locust has ended is told to end, and waited for."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from fmbench.load.deadlines import GRACE_S

LOOK_S = 0.05
AFTER_KILL_S = 5.0


def end_group(group: int, within_s: float = GRACE_S + 10) -> None:
    """End every process of ``group``: in good order, and by force where that takes more than ``within_s``."""
    if not living(group):
        return
    _send(group, signal.SIGTERM)
    if not _gone(group, within_s):
        _send(group, signal.SIGKILL)
        _gone(group, AFTER_KILL_S)


def living(group: int) -> list[int]:
    """The processes of ``group`` that still run; those that only wait to be reaped do not."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_of(path, group)]


def _is_of(path: Path, group: int) -> bool:
    try:
        state, _, process_group = (path / "stat").read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return int(process_group) == group and state not in "ZX"


def _gone(group: int, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while living(group):
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_S)
    return True


def _send(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return

"""A load process whose load is over has to end: one that hangs at its exit is ended, and the run goes on to its account."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from fmbench.load.deadlines import LEAVE_S

LOOK_S = 1.0


def leave_within(process: subprocess.Popen[bytes], result: Path, within_s: float = LEAVE_S) -> None:
    """Wait for the end of ``process``; kill it when it is still there ``within_s`` after ``result`` (load.json) was there.

    What it wrote is sealed and accounted for as that of a killed process; the rest of its group is the caller's to end.
    """
    over: float | None = None
    while True:
        try:
            process.wait(LOOK_S)
            return
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        over = now if over is None and result.exists() else over
        if over is not None and now - over > within_s:
            said = f"the load is over, and its process did not end within {within_s:g} s: it is killed"
            print(f"fmbench-load: warning: {said}.", file=sys.stderr, flush=True)
            process.kill()
            return

"""Load processes that were forked of the master (``--processes N``)."""

from __future__ import annotations

import os
import signal
from contextlib import suppress


def end_fork(pid: int) -> None:
    """Kill a process of this one's own group; any other is left alone. One that is stopped dies of it, too."""
    with suppress(OSError):
        if pid > 1 and pid != os.getpid() and os.getpgid(pid) == os.getpgid(0):
            os.kill(pid, signal.SIGKILL)

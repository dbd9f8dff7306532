"""A process that waits most of its time, and is late when it is not woken at once: short turns instead of long ones.

Linux 6.12 and newer wakes a process whose turns are short before others have ended theirs, at the same share of a core for both
(a slice of its own for EEVDF, https://docs.kernel.org/scheduler/sched-eevdf.html). It takes no privilege.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from struct import Struct

TURN_NS = 100_000
"""The shortest that the kernel knows."""
SYSCALL = {"x86_64": 314, "aarch64": 274}
"""The number of ``sched_setattr``, which Python does not have."""
_ATTRIBUTES = Struct("=IIQiIQQQ")


def take_short_turns() -> bool:
    """Have this thread, and what it starts from now on, run in turns of ``TURN_NS``; its priority stays.

    False where the system has no such call or does not let it be made; a kernel that knows no such turns takes it, and nothing
    changes.
    """
    number = SYSCALL.get(platform.machine())
    if sys.platform != "linux" or number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, priority, 0, TURN_NS, 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, 0, wanted, 0) == 0)

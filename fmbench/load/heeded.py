"""Which signals the program listens to."""

from __future__ import annotations

import signal


def heeded() -> list[signal.Signals]:
    """SIGINT and SIGTERM, but for what this process was started to ignore, as background jobs of a script are Ctrl-C."""
    return [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]

"""How this process waits for bytes: in gevent's hub when gevent has patched sockets, else with a blocking loop."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any, Protocol

from fmbench.bedrock import wait_plain
from fmbench.bedrock.arrivals import Arrivals
from fmbench.bedrock.deadlines import Deadlines
from fmbench.bedrock.http1 import ResponseReader


class Waiting(Protocol):
    """The three places where a call waits."""

    def turn(self) -> None:
        """Before a heavy step: let others be read first."""

    def limit(self, seconds: float) -> AbstractContextManager[Any]:
        """Around connecting: no longer than this."""

    def read(self, sock: Any, reader: ResponseReader, deadlines: Deadlines, arrivals: Arrivals | None) -> None:
        """Feed the reader until the answer has ended; until its first content by ``arrivals``, where they are known."""


def waiting() -> Waiting:
    """The way that fits this process. gevent is imported only where it has patched sockets already."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("socket"):
        return wait_plain
    from fmbench.bedrock import wait_gevent

    return wait_gevent

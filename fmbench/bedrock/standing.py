"""When this process stood still: stopped by a signal, swapped out, or kept from its sockets for a second or more.

What happens to a request meanwhile is the load process's own: an endpoint may well close a connection that nobody reads.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from fmbench.core.failures import FailureKind

LEAST_NS = 1_000_000_000
AFTERWARDS_NS = 2_000_000_000
"""So long after it stood still a process still finds what happened meanwhile."""
OWN = frozenset(
    {
        FailureKind.DNS,
        FailureKind.CONNECT,
        FailureKind.TLS,
        FailureKind.RESET_BEFORE_RESPONSE,
        FailureKind.RESET_IN_STREAM,
        FailureKind.TIMEOUT_CONNECT,
        FailureKind.TIMEOUT_FIRST_BYTE,
        FailureKind.TIMEOUT_BETWEEN_BYTES,
        FailureKind.TIMEOUT_TOTAL,
        FailureKind.TRUNCATED,
        FailureKind.CLOCK_SKEW,
    }
)
"""Failures that a process brings upon itself by standing still: its peers give up, and what it signed gets old."""


@dataclass(slots=True)
class Standing:
    """Told again and again that the process goes on; times are monotonic nanoseconds. One that is never told knows of nothing."""

    told: int | None = None
    times: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=64))
    """(from, to) of the latest times that it stood still."""

    def tell(self, now: int) -> None:
        """The process goes on."""
        if self.told is not None and now - self.told >= LEAST_NS:
            self.times.append((self.told, now))
        self.told = now

    def rest(self) -> None:
        """Nobody tells any more."""
        self.told = None

    def still_ns(self, since: int, now: int) -> int:
        """How long it stood still between two moments; the last time may not be over, or not told yet."""
        return sum(max(0, min(end, now) - max(begin, since)) for begin, end in self._known(now))

    def caused(self, kind: FailureKind, since: int, now: int) -> bool:
        """Whether a failure that is found ``now``, of a request that began at ``since``, is this process's own."""
        if kind not in OWN:
            return False
        return any(end > since and now - end <= AFTERWARDS_NS for _, end in self._known(now))

    def _known(self, now: int) -> list[tuple[int, int]]:
        going_on = [(self.told, now)] if self.told is not None and now - self.told >= LEAST_NS else []
        return [*self.times, *going_on]


STANDING = Standing()
"""This process's."""

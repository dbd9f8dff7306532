"""When a request that failed is tried again: exponential backoff with a cap, by a closed list of failures; and what its attempts
are together. Pure, and light: load processes use it.

The delay before attempt n + 1 is ``min(cap, base * 2^(n - 1))``; with full jitter it is drawn evenly between nothing and that
(Brooker, "Exponential Backoff And Jitter", 2015).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fmbench.core.failures import THROTTLES, FailureKind
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.records import Record

WORDS = tuple(kind.value for kind in FailureKind)
"""What may be retried. ``throttled`` stands for every kind of throttle."""
USUAL = tuple(
    kind.value
    for kind in (
        *(FailureKind.THROTTLED, FailureKind.SERVICE_UNAVAILABLE, FailureKind.INTERNAL),
        *(FailureKind.MODEL_NOT_READY, FailureKind.CONNECT, FailureKind.RESET_BEFORE_RESPONSE),
    )
)
"""What is retried where nothing is said."""
FROM_SENDING = tuple(latency.column for latency in LATENCIES if latency.from_sending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """``attempts``: the most that a request has, the first one included. Times are seconds."""

    attempts: int
    base_s: float
    cap_s: float
    jitter: bool
    on: frozenset[str]

    def delay_s(self, failure: str | None, attempt: int, dice: random.Random) -> float | None:
        """How long to wait after ``attempt`` (from 1) failed so; None: that was the last one."""
        if failure is None or attempt >= self.attempts or not self._retried(failure):
            return None
        longest = min(self.cap_s, self.base_s * 2.0 ** min(attempt - 1, 60))
        return dice.uniform(0.0, longest) if self.jitter else longest

    def _retried(self, failure: str) -> bool:
        return failure in self.on or (failure in THROTTLES and FailureKind.THROTTLED in self.on)


def whole_request(attempts: Sequence[Record]) -> Record:
    """The attempts at one request, in their order, as one record: from when the first one was sent."""
    first, last = attempts[0], attempts[-1]
    begun = first.intended_at if first.sent_at is None else first.sent_at
    if last.sent_at is None or begun is None:
        return last
    waited_s = last.sent_at - begun + (first.backoff_s or 0.0)
    if not waited_s:
        return last
    later = {name: value + waited_s for name in FROM_SENDING if (value := getattr(last, name)) is not None}
    usd = [attempt.usd for attempt in attempts if attempt.usd is not None]
    unpriced = last.usd is None and last.failure is None
    return replace(last, **later, usd=None if unpriced or not usd else sum(usd), phase=first.phase)

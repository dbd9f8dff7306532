"""What a request counts for in a budget: one rule, for the lease that it is taken from, for a cut run and for the bill."""

from __future__ import annotations

from fmbench.core.failures import PERMANENT, THROTTLES, FailureKind

NEVER_BILLED = (THROTTLES | PERMANENT) - {FailureKind.THROTTLED_IN_STREAM}
"""Failures of requests that the service turned away before it did anything."""


def counted_usd(usd: float | None, failure: str | None, sent: bool, bound_usd: float | None) -> float:
    """USD that a request which is over counts for: its price when it is known; nothing when the service turned it away or never
    heard of it; else, as it may have been billed, the most that it can cost. ``sent``: whether a byte of it may have reached
    the service."""
    if usd is not None:
        return usd
    if failure in NEVER_BILLED or not sent:
        return 0.0
    return bound_usd or 0.0

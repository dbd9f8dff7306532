"""What a search for a quota asks to be sent, and what it is told of each request: words that load processes exchange."""

from __future__ import annotations

from dataclasses import dataclass

SHORT = 2
"""An answer of so few tokens is over for the service when its first one comes, which is known better than when it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Requests to be sent as fast as may be, one after the other without waiting for answers, until one is throttled.

    ``at`` is the second of the clock's minute to start at (None: at once), after ``quiet_s`` without a request. ``shrink``: after
    the first throttle, so many more, each of half the size of the one before. ``settled``: only when every answer before is over.
    """

    prompt_tokens: int
    max_tokens: int
    output_tokens: int
    limit: int
    at: float | None = None
    quiet_s: float = 0.0
    shrink: int = 0
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request of the log. Times are UTC epoch seconds; ``word`` is the throttle's (``requests``, ``tokens``, ``daily``), None
    for an admitted request."""

    at: float
    ended_at: float
    input_tokens: int
    max_tokens: int
    output_tokens: int
    word: str | None = None

"""Pacing: how long a request is held back so that the load stays under a share of a quota. Pure; load processes use it.

A bucket of requests and one of tokens fill at the share of the quota, and hold little, so that whatever window the service keeps
no minute of it takes more than the quota. A request takes its prompt and ``max_tokens``; when it is over, what it really took.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MINUTE_S = 60.0
MARGIN = 0.5
"""Of what the share leaves of the quota, so much may go out at once."""


@dataclass(slots=True)
class _Bucket:
    per_s: float
    size: float
    left: float = field(init=False)
    filled_at: float | None = None

    def __post_init__(self) -> None:
        self.left = self.size

    def wait_s(self, now: float, amount: float) -> float:
        """Seconds until there is as much as ``amount``, or all that it can hold."""
        if self.filled_at is not None:
            self.left = min(self.size, self.left + max(0.0, now - self.filled_at) * self.per_s)
        self.filled_at = now
        return max(0.0, (min(amount, self.size) - self.left) / self.per_s)


class Pacer:
    """Holds back the requests of one load process to one model. Times are seconds of any clock."""

    def __init__(self, rpm: float | None, tpm: float | None, burndown: float, share: float) -> None:
        """``rpm`` and ``tpm``: this process's part of the quota; None: there is none. ``share``: how much of it may be used."""
        self._burndown = burndown
        self._requests = _bucket(rpm, share, 1.0)
        self._tokens = _bucket(tpm, share, 0.0)
        self._ratio = 1.0

    def reserved(self, prompt_tokens: int, max_tokens: int) -> float:
        """What a request takes at admission, by the tokens that the service counted in prompts so far."""
        return prompt_tokens * self._ratio + max_tokens

    def wait_s(self, now: float, tokens: float) -> float:
        """How long a request has to wait yet; 0: it may go."""
        of_requests = 0.0 if self._requests is None else self._requests.wait_s(now, 1.0)
        return max(of_requests, 0.0 if self._tokens is None else self._tokens.wait_s(now, tokens))

    def take(self, tokens: float) -> None:
        """A request goes out."""
        if self._requests is not None:
            self._requests.left -= 1.0
        if self._tokens is not None:
            self._tokens.left -= tokens

    def settle(self, tokens: float, prompt_tokens: int, input_tokens: int | None, cached: int, output_tokens: int | None) -> None:
        """A request is over: what it took comes in place of what was reserved; one that does not say keeps that.

        ``input_tokens``: its whole prompt as the service counted it, of which ``cached`` came out of a cache.
        """
        if input_tokens is None or output_tokens is None:
            return
        self._ratio = max(self._ratio, input_tokens / max(1, prompt_tokens))
        if self._tokens is not None:
            self._tokens.left += tokens - (input_tokens - cached + self._burndown * output_tokens)


def _bucket(per_minute: float | None, share: float, least: float) -> _Bucket | None:
    if not per_minute:
        return None
    return _Bucket(share * per_minute / MINUTE_S, max(least, MARGIN * (1 - share) * per_minute))

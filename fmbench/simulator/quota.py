"""The quota of a model: what Bedrock admits, reserves and gives back."""

from __future__ import annotations

from time import monotonic_ns

from fmbench.simulator import errors
from fmbench.simulator.behaviour import Quota


class Allowance:
    """A bucket that holds a minute's worth and fills evenly."""

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._left = float(per_minute or 0)
        self._filled_ns = monotonic_ns()

    def has(self, amount: float) -> bool:
        """Whether ``amount`` is left now; always, without a limit."""
        if self._per_minute is None:
            return True
        now = monotonic_ns()
        self._left = min(self._per_minute, self._left + (now - self._filled_ns) * self._per_minute / 60e9)
        self._filled_ns = now
        return self._left >= amount

    def take(self, amount: float) -> None:
        """Use ``amount``; a negative one is given back."""
        self._left -= amount


class Admission:
    """Requests and tokens a minute of one model.

    As Bedrock does, admission reserves prompt + ``max_tokens``, and the end of the answer gives back what was not generated.
    """

    def __init__(self, quota: Quota) -> None:
        self._requests = Allowance(quota.requests_per_minute)
        self._tokens = Allowance(quota.tokens_per_minute)

    def admit(self, tokens: int) -> None:
        """Reserve ``tokens`` for one request, or raise the throttle that AWS would."""
        if not self._requests.has(1):
            raise errors.throttled(errors.TOO_MANY_REQUESTS)
        if not self._tokens.has(tokens):
            raise errors.throttled(errors.TOO_MANY_TOKENS)
        self._requests.take(1)
        self._tokens.take(tokens)

    def settle(self, unused_tokens: int) -> None:
        """Give back what was reserved and not used."""
        self._tokens.take(-unused_tokens)

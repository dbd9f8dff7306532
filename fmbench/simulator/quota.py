"""The quota of a model: what Bedrock admits, reserves and gives back, and over which window.

Which window Bedrock keeps, whether ``max_tokens`` is reserved and what an output token weighs are settings, so that what finds
them from outside can be held against the truth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from time import time
from typing import Protocol

from fmbench.simulator import errors
from fmbench.simulator.behaviour import Quota

DAY_S = 86_400.0


@dataclass(slots=True)
class Charge:
    """What one request has taken, and when."""

    at: float
    amount: float


class Allowance(Protocol):
    """How much there is for one window of time."""

    def has(self, now: float, amount: float) -> bool:
        """Whether ``amount`` is left."""

    def take(self, now: float, amount: float) -> Charge:
        """Use ``amount``."""

    def change(self, now: float, charge: Charge, amount: float) -> None:
        """A charge turns out to be another amount."""


class Unlimited:
    """No quota."""

    def has(self, now: float, amount: float) -> bool:
        return True

    def take(self, now: float, amount: float) -> Charge:
        return Charge(now, amount)

    def change(self, now: float, charge: Charge, amount: float) -> None:
        charge.amount = amount


class Bucket:
    """Holds a window's worth and fills evenly."""

    def __init__(self, size: float, window_s: float) -> None:
        self._size, self._per_s = size, size / window_s
        self._left, self._filled_at = size, 0.0

    def has(self, now: float, amount: float) -> bool:
        self._left = min(self._size, self._left + max(0.0, now - self._filled_at) * self._per_s)
        self._filled_at = max(now, self._filled_at)
        return self._left >= amount

    def take(self, now: float, amount: float) -> Charge:
        self._left -= amount
        return Charge(now, amount)

    def change(self, now: float, charge: Charge, amount: float) -> None:
        self.has(now, 0.0)
        self._left -= amount - charge.amount
        charge.amount = amount


class Rolling:
    """What was taken in the window that ends now."""

    def __init__(self, size: float, window_s: float) -> None:
        self._size, self._window_s = size, window_s
        self._charges: deque[Charge] = deque()
        self._used = 0.0

    def has(self, now: float, amount: float) -> bool:
        while self._charges and self._charges[0].at <= now - self._window_s:
            self._used -= self._charges.popleft().amount
        return self._used + amount <= self._size

    def take(self, now: float, amount: float) -> Charge:
        charge = Charge(now, amount)
        self._charges.append(charge)
        self._used += amount
        return charge

    def change(self, now: float, charge: Charge, amount: float) -> None:
        self.has(now, 0.0)
        if charge.at > now - self._window_s:
            self._used += amount - charge.amount
        charge.amount = amount


class Clock:
    """What was taken since the clock's minute (or day) began."""

    def __init__(self, size: float, window_s: float) -> None:
        self._size, self._window_s = size, window_s
        self._window, self._used = -1, 0.0

    def has(self, now: float, amount: float) -> bool:
        if self._number(now) != self._window:
            self._window, self._used = self._number(now), 0.0
        return self._used + amount <= self._size

    def take(self, now: float, amount: float) -> Charge:
        self._used += amount
        return Charge(now, amount)

    def change(self, now: float, charge: Charge, amount: float) -> None:
        self.has(now, 0.0)
        if self._number(charge.at) == self._window:
            self._used += amount - charge.amount
        charge.amount = amount

    def _number(self, now: float) -> int:
        return floor(now / self._window_s)


KINDS: dict[str, Callable[[float, float], Allowance]] = {"bucket": Bucket, "rolling": Rolling, "clock": Clock}


@dataclass(slots=True)
class Ticket:
    """What an admitted request has reserved."""

    input_tokens: int
    charges: list[tuple[Allowance, Charge]]


class Admission:
    """Requests and tokens a minute, and tokens a day, of one model.

    As Bedrock does, admission reserves prompt + ``max_tokens``; the end of the answer puts what it took in its place, output
    tokens by their weight, and gives back what came out of the prompt cache.
    """

    def __init__(self, quota: Quota, now: Callable[[], float] = time) -> None:
        self._quota, self._now = quota, now

        def allowance(size: int | None, window_s: float) -> Allowance:
            return Unlimited() if size is None else KINDS[quota.window](size, window_s)

        self._requests = allowance(quota.requests_per_minute, quota.minute_s)
        self._tokens = allowance(quota.tokens_per_minute, quota.minute_s)
        self._day = allowance(quota.tokens_per_day, DAY_S)

    def admit(self, input_tokens: int, max_tokens: int) -> Ticket:
        """Reserve what one request takes, or raise the throttle that AWS would."""
        now = self._now()
        amount = input_tokens + (max_tokens if self._quota.reserves_max_tokens else 0)
        if not self._requests.has(now, 1):
            raise errors.throttled(errors.TOO_MANY_REQUESTS)
        if not self._tokens.has(now, amount):
            raise errors.throttled(errors.TOO_MANY_TOKENS)
        if not self._day.has(now, amount):
            raise errors.throttled(errors.TOO_MANY_TOKENS_A_DAY)
        self._requests.take(now, 1)
        return Ticket(input_tokens, [(each, each.take(now, amount)) for each in (self._tokens, self._day)])

    def settle(self, ticket: Ticket, output_tokens: int, cache_read_tokens: int = 0) -> None:
        """A request is over: what it took counts, not what it reserved."""
        now = self._now()
        amount = ticket.input_tokens - cache_read_tokens + output_tokens * self._quota.burndown
        for allowance, charge in ticket.charges:
            allowance.change(now, charge, amount)

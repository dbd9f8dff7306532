"""The budget is hard: what a request could cost at most is set aside before it is sent, and none goes out that could pass it.

The controller leases each worker its share of what is left for every step; a worker spends its lease without asking anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from fmbench.core.records import Exchange
from fmbench.core.spend import counted_usd


@dataclass(slots=True, kw_only=True)
class Lease:
    """What one worker may spend in one step. ``None`` is without limit."""

    requests: int | None
    usd: float | None
    sent: int = 0
    reserved_usd: float = 0.0
    """Bounds of the requests in flight."""
    overrun: float = 1.0
    """The most that a request cost so far, in times of its bound: above 1 where the service counts far more tokens than we do."""
    spent_usd: float = 0.0
    exhausted: bool = False

    def reserve(self, bound_usd: float | None) -> bool:
        """Set aside ``bound_usd`` for one request. False, for good: it could pass the budget, so it must not be sent."""
        if self.exhausted or not self._holds(bound_usd):
            self.exhausted = True
            return False
        self.sent += 1
        self.reserved_usd += bound_usd or 0.0
        return True

    def settle(self, bound_usd: float | None, cost_usd: float) -> None:
        """A request is over: its true cost takes the place of what was set aside."""
        self.reserved_usd -= bound_usd or 0.0
        cost_usd = max(0.0, cost_usd)
        self.spent_usd += cost_usd
        if bound_usd:
            self.overrun = max(self.overrun, cost_usd / bound_usd)

    def _holds(self, bound_usd: float | None) -> bool:
        if self.requests is not None and self.sent >= self.requests:
            return False
        if self.usd is None:
            return True
        return bound_usd is not None and self.spent_usd + self.overrun * (self.reserved_usd + bound_usd) <= self.usd

    @property
    def used_usd(self) -> float:
        """What was used, requests in flight at their bound."""
        return self.spent_usd + self.overrun * max(0.0, self.reserved_usd)


def cost_to_settle(exchange: Exchange, usd: float | None, bound_usd: float | None) -> float:
    """What a request that is over counts for, by ``core.spend``'s rule."""
    never_heard = exchange.failure is not None and exchange.sent_ns is None
    return counted_usd(usd, exchange.failure, not never_heard, bound_usd)

"""The budget is hard: what a request could cost at most is set aside before it is sent, and none goes out that could pass it.

The controller leases each worker its share of what is left for every step; a worker spends its lease without asking anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fmbench.config.schema import Budget
from fmbench.core.failures import PERMANENT, THROTTLES, FailureKind
from fmbench.core.records import Exchange


@dataclass(slots=True, kw_only=True)
class Lease:
    """What one worker may spend in one step. ``None`` is without limit."""

    requests: int | None
    usd: float | None
    sent: int = 0
    reserved_usd: float = 0.0
    """Bounds of the requests in flight."""
    dearness: float = 1.0
    """How many times its bound the dearest request cost so far: above 1 where the service counts far more tokens than we do."""
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
            self.dearness = max(self.dearness, cost_usd / bound_usd)

    def _holds(self, bound_usd: float | None) -> bool:
        if self.requests is not None and self.sent >= self.requests:
            return False
        if self.usd is None:
            return True
        return bound_usd is not None and self.spent_usd + self.dearness * (self.reserved_usd + bound_usd) <= self.usd

    def to_message(self) -> dict[str, Any]:
        """What was used, requests in flight at their bound."""
        return {
            "sent": self.sent,
            "usd": self.spent_usd + self.dearness * max(0.0, self.reserved_usd),
            "exhausted": self.exhausted,
        }


def cost_to_settle(exchange: Exchange, usd: float | None, bound_usd: float | None) -> float:
    """What a request that is over counts for: its price when it is known; nothing when the service turned it away or never
    heard of it; else, as it may have been billed, all that was set aside."""
    if usd is not None:
        return usd
    if exchange.failure is not None and _never_billed(exchange):
        return 0.0
    return bound_usd or 0.0


def _never_billed(exchange: Exchange) -> bool:
    turned_away = (THROTTLES | PERMANENT) - {FailureKind.THROTTLED_IN_STREAM}
    return exchange.sent_ns is None or exchange.failure in turned_away


class Purse:
    """The whole run's budget, at the controller."""

    def __init__(self, budget: Budget, requests: int = 0, usd: float = 0.0) -> None:
        """``requests`` and ``usd`` are what earlier parts of the run have used."""
        self.budget = budget
        self.requests = requests
        self.usd = usd

    def lease(self, slots: Mapping[str, int]) -> dict[str, tuple[int | None, float | None]]:
        """Split what is left among workers by the ``slots`` that each carries: ``{worker: (requests, usd)}``."""
        return {worker: (requests, self._usd_share(slots, worker)) for worker, requests in self._request_shares(slots).items()}

    def settle(self, requests: int, usd: float) -> None:
        """A worker has used so much of its lease."""
        self.requests += requests
        self.usd += usd

    def left(self) -> str:
        """What is left, for people."""
        parts = []
        if self.budget.max_requests is not None:
            parts.append(f"{self.budget.max_requests - self.requests} of {self.budget.max_requests} requests")
        if self.budget.max_usd is not None:
            parts.append(f"${max(0.0, self.budget.max_usd - self.usd):.6f} of ${self.budget.max_usd}")
        return " and ".join(parts)

    def _request_shares(self, slots: Mapping[str, int]) -> dict[str, int | None]:
        if self.budget.max_requests is None:
            return dict.fromkeys(slots)
        left, slots_left = max(0, self.budget.max_requests - self.requests), sum(slots.values())
        shares: dict[str, int | None] = {}
        for worker, count in slots.items():
            share = left * count // slots_left if slots_left else 0
            shares[worker] = share
            left, slots_left = left - share, slots_left - count
        return shares

    def _usd_share(self, slots: Mapping[str, int], worker: str) -> float | None:
        if self.budget.max_usd is None:
            return None
        return max(0.0, self.budget.max_usd - self.usd) * slots[worker] / max(1, sum(slots.values()))

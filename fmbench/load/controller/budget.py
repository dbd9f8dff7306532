"""The whole run's budget, at the controller: it leases each worker its share of what is left for every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fmbench.config.schema import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was used of a budget: requests, and USD with the bounds of what may have been billed."""

    requests: int = 0
    usd: float = 0.0

    def __add__(self, other: Used) -> Used:
        return Used(requests=self.requests + other.requests, usd=self.usd + other.usd)


class RunBudget:
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

    def left_after(self, requests: int, usd: float) -> str:
        """What is left once so much more is used, for people."""
        return RunBudget(self.budget, self.requests + requests, self.usd + usd).left()

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

"""What one model's requests cost on one route, at each tier and latency mode whose rates are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from fmbench.core.prices.rates import KINDS, Rates, Schedule
from fmbench.core.records import Usage

TOKENIZER_MARGIN = 1.5
"""``Price.bound`` takes a prompt to be up to so many times longer than the local tokenizer counted."""
PROMPT_OVERHEAD = 100
"""… and adds so many tokens for the salt, the roles and the model's own template."""

Served = tuple[str, str]
"""Service tier and latency mode."""
USUAL: Served = ("default", "standard")


def served(tier: str | None, latency: str | None) -> Served:
    """The two words as prices are filed: what is not said, and the tier called ``standard``, is the usual one."""
    return ("default" if tier in (None, "standard") else tier, latency or "standard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The rates of one model on one route."""

    schedules: Mapping[Served, Schedule]
    source: str
    """Which source knew it: ``config``, ``aws-price-list``, ``genai-prices``."""
    region: str | None = None
    """The region whose price it is; None: of every region, or as the configuration has it."""
    taken_from: str | None = None
    """Set where the price is of another region or scope than the requests: which one."""
    for_any_tier: bool = False
    """Whether the usual rates stand in for a tier or latency mode that has none of its own: a configured price does."""
    asked: Served = USUAL
    """What requests ask for; the service may serve the usual instead."""
    an_hour: bool = False
    """Whether requests ask for an hour in the cache."""
    system_tokens: int = 0
    """About so many tokens of a system prompt come with every prompt."""

    def schedule(self, tier: str | None = None, latency: str | None = None) -> Schedule | None:
        """The rates of a tier and latency mode as served; None: not known."""
        found = self.schedules.get(served(tier, latency))
        return self.schedules.get(USUAL) if found is None and self.for_any_tier else found

    def parts(self, usage: Usage, tier: str | None = None, latency: str | None = None) -> dict[str, float] | None:
        """USD of one request by kind of token; None when anything that it takes is not known."""
        schedule = self.schedule(tier, latency)
        costs = None if schedule is None else schedule.parts(usage)
        return None if costs is None else {kind: float(cost) for kind, cost in costs.items()}

    def usd(self, usage: Usage, tier: str | None = None, latency: str | None = None) -> float | None:
        """USD of one request; None when its tokens, or the price of the tier it was served at, are not known."""
        schedule = self.schedule(tier, latency)
        cost = None if schedule is None else schedule.usd(usage)
        return None if cost is None else float(cost)

    def expected(self, prompt_tokens: int, output_tokens: int) -> float | None:
        """USD of a request as it is asked for, without a cache; None when that is not known."""
        return self.usd(Usage(input_tokens=prompt_tokens + self.system_tokens, output_tokens=output_tokens), *self.asked)

    def least(self, prompt_tokens: int, output_tokens: int, cached: bool) -> float | None:
        """The same where all of the prompt is read from a cache, as may be when it is ``cached``; never more than without."""
        read = Usage(input_tokens=0, cache_read_tokens=prompt_tokens + self.system_tokens, output_tokens=output_tokens)
        found = [self.expected(prompt_tokens, output_tokens), self.usd(read, *self.asked) if cached else None]
        return min((usd for usd in found if usd is not None), default=None)

    def bound(self, prompt_tokens: int, max_tokens: int) -> float | None:
        """The most that a request can cost, USD: an answer of ``max_tokens``, and a prompt, system prompt included,
        ``TOKENIZER_MARGIN`` times longer than counted locally plus ``PROMPT_OVERHEAD`` tokens, all at the dearest rate that a
        prompt token can have, at the tier asked for or the usual one, whichever is dearer. None: what is asked for has no known
        price."""
        prompt = int((prompt_tokens + self.system_tokens) * TOKENIZER_MARGIN) + PROMPT_OVERHEAD
        schedules = [self.schedule(*self.asked), self.schedule()]
        if schedules[0] is None:
            return None
        bounds = [None if each is None else each.bound(prompt, max_tokens, self.an_hour) for each in schedules]
        known = [bound for bound in bounds if bound is not None]
        return None if bounds[0] is None else float(max(known))

    def ask(self, tier: str | None, latency: str | None, an_hour: bool, system_tokens: int = 0) -> Price:
        """The same price for requests that ask for a tier, a latency mode, an hour in the cache, and have a system prompt."""
        return replace(self, asked=served(tier, latency), an_hour=an_hour, system_tokens=system_tokens)

    @property
    def known(self) -> bool:
        """Whether what requests ask for has a price."""
        return self.schedule(*self.asked) is not None

    def to_dict(self) -> dict[str, Any]:
        """For the manifest and the plan: the usual rates, then everything else that is known (``from_dict`` reads it back)."""
        usual = self.schedules.get(USUAL) or next(iter(self.schedules.values()))
        cases = {"/".join(key): _to_dict(value) for key, value in sorted(self.schedules.items())}
        place = {"region": self.region, "taken_from": self.taken_from, "for_any_tier": self.for_any_tier}
        asks = {"asked": list(self.asked), "an_hour": self.an_hour}
        asks |= {"system_tokens": self.system_tokens} if self.system_tokens else {}
        return {"source": self.source, **usual.base.to_dict(), **place, **asks, "cases": cases}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Price:
        """The price that ``to_dict`` wrote."""
        cases = {(key.partition("/")[0], key.partition("/")[2]): _from_dict(value) for key, value in row["cases"].items()}
        tier, latency = row["asked"]
        return cls(
            schedules=cases,
            source=row["source"],
            region=row["region"],
            taken_from=row["taken_from"],
            for_any_tier=row["for_any_tier"],
            asked=(tier, latency),
            an_hour=row["an_hour"],
            system_tokens=int(row.get("system_tokens", 0)),
        )


def _to_dict(schedule: Schedule) -> dict[str, Any]:
    steps = [[start, None if rates is None else rates.to_dict()] for start, rates in schedule.steps]
    return {**schedule.base.to_dict(), **({"steps": steps} if steps else {})}


def _from_dict(row: Mapping[str, Any]) -> Schedule:
    steps = tuple((int(start), None if rates is None else rates_of(rates)) for start, rates in row.get("steps", []))
    return Schedule(rates_of(row), steps)


def rates_of(row: Mapping[str, Any]) -> Rates:
    """Rates from a mapping of numbers (or None) by kind."""
    exact = {kind: None if row.get(kind) is None else Decimal(str(row[kind])) for kind in KINDS}
    assert exact["input"] is not None and exact["output"] is not None
    return Rates(**exact)  # type: ignore[arg-type]

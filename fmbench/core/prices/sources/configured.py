"""Prices as the configuration's ``pricing:`` gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from fmbench.core.prices.price import USUAL, Price, Served, rates_of, served
from fmbench.core.prices.rates import KINDS, Rates, Schedule
from fmbench.core.prices.route import Route

NAME = "config"


class ConfiguredRates(Protocol):
    """USD for a million tokens."""

    @property
    def input(self) -> float: ...
    @property
    def output(self) -> float: ...
    @property
    def cache_read(self) -> float | None: ...
    @property
    def cache_write(self) -> float | None: ...
    @property
    def cache_write_1h(self) -> float | None: ...


class ConfiguredCase(ConfiguredRates, Protocol):
    """Rates that hold where what it names is the case; None: whatever it is."""

    @property
    def region(self) -> str | None: ...
    @property
    def tier(self) -> str | None: ...
    @property
    def latency(self) -> str | None: ...
    @property
    def above_tokens(self) -> int | None: ...


class ConfiguredPrice(ConfiguredRates, Protocol):
    """A model's entry: its rates, and the cases in which others hold."""

    @property
    def cases(self) -> Sequence[ConfiguredCase]: ...


def price_of(entry: ConfiguredPrice, route: Route) -> Price:
    """The price of an entry for one route: of the cases that hold for it, the later ones over the earlier ones. A case that names
    no tier or no latency mode holds for each."""
    here = [case for case in entry.cases if case.region in (None, route.region)]
    served_at = {USUAL, *(_served(case) for case in here)}
    schedules = {key: _schedule(_rates(entry), [case for case in here if _holds(case, key)]) for key in served_at}
    own = any(case.region is not None for case in here)
    return Price(schedules=schedules, source=NAME, region=route.region if own else None, for_any_tier=True)


def _served(case: ConfiguredCase) -> Served:
    return served(case.tier, case.latency)


def _holds(case: ConfiguredCase, key: Served) -> bool:
    tier, latency = _served(case)
    return (case.tier is None or tier == key[0]) and (case.latency is None or latency == key[1])


def _schedule(base: Rates, cases: Sequence[ConfiguredCase]) -> Schedule:
    """The last case that holds, for prompts of every length: steps of one kind that stand together go by their length."""
    alike = [sorted(group, key=_above) for _, group in groupby(cases, lambda case: (case.region, case.tier, case.latency))]
    ordered = [case for group in alike for case in group]
    steps = sorted({above for case in cases if (above := case.above_tokens) is not None})

    def at(above: int) -> Rates:
        return next((_rates(case) for case in reversed(ordered) if _above(case) <= above), base)

    return Schedule(at(0), tuple((above, at(above)) for above in steps))


def _above(case: ConfiguredCase) -> int:
    return case.above_tokens or 0


def _rates(rates: ConfiguredRates) -> Rates:
    row: Mapping[str, Any] = {kind: getattr(rates, kind) for kind in KINDS}
    return rates_of(row)

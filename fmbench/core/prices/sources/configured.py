"""Prices as the configuration's ``pricing:`` gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """The price of an entry for one route: of the cases of its region, the later ones over the earlier ones."""
    here = [case for case in entry.cases if case.region in (None, route.region)]
    usual = _schedule(_rates(entry), [case for case in here if _served(case) == USUAL])
    schedules: dict[Served, Schedule] = {USUAL: usual}
    for key in {_served(case) for case in here} - {USUAL}:
        schedules[key] = _schedule(usual.base, [case for case in here if _served(case) == key])
    own = any(case.region is not None for case in here)
    return Price(schedules=schedules, source=NAME, region=route.region if own else None, for_any_tier=True)


def _served(case: ConfiguredCase) -> Served:
    return served(case.tier, case.latency)


def _schedule(base: Rates, cases: Iterable[ConfiguredCase]) -> Schedule:
    steps: dict[int, Rates] = {}
    for case in cases:
        if case.above_tokens is None:
            base = _rates(case)
        else:
            steps[case.above_tokens] = _rates(case)
    return Schedule(base, tuple(sorted(steps.items())))


def _rates(rates: ConfiguredRates) -> Rates:
    row: Mapping[str, Any] = {kind: getattr(rates, kind) for kind in KINDS}
    return rates_of(row)

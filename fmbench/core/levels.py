"""The levels of a study: how many users at a time, or how many requests a minute."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmbench.core.arrivals import arrival_times
from fmbench.core.arrivals.shape import RateShape
from fmbench.core.arrivals.steady import Steady
from fmbench.core.records import Cell

if TYPE_CHECKING:
    from fmbench.config.schema import Config, Load

SECONDS_IN_FLIGHT = 30.0
"""An open loop may have so many seconds' requests in flight, unless ``max_in_flight`` says otherwise."""
QUOTA_USERS = 256
"""So many of a burst's requests are in flight at most, unless ``max_in_flight`` says otherwise."""
MOST_DROPPED = 0.01
"""A level of which a larger share could not be started was not sent as asked: nothing is shown to be met there."""
FEWEST_IN_FLIGHT, MOST_IN_FLIGHT = 16, 2000


@dataclass(frozen=True, slots=True)
class LoadLevel:
    """A closed loop of ``concurrency`` users, or an open loop of ``rate_per_min`` with at most ``concurrency`` in flight."""

    concurrency: int
    rate_per_min: float | None = None


def levels_of(load: Load) -> list[LoadLevel]:
    """The levels of a study in their order."""
    if load.search is not None:
        return [searched_level(load, load.search.start)]
    if load.rate_per_min is None:
        return [LoadLevel(users) for users in load.concurrency]
    if isinstance(load.rate_per_min, list):
        return [open_level(load, rate) for rate in load.rate_per_min]
    rate = _varying(load, 0.0)
    return [open_level(load, rate.mean_per_min, rate.peak_per_min)]


def searched_level(load: Load, level: float) -> LoadLevel:
    """A level of a search; of a quota: as many users as its requests take, which nobody waits for."""
    if load.search is not None and load.search.of == "quota":
        return LoadLevel(load.max_in_flight or QUOTA_USERS)
    rate = load.search is not None and load.search.of == "rate"
    return open_level(load, level) if rate else LoadLevel(round(level))


def most_in_flight(load: Load) -> int:
    """The most requests in flight at any level of a study."""
    levels = levels_of(load) if load.search is None else [searched_level(load, load.search.end or load.search.start)]
    return max(level.concurrency for level in levels)


def expected_in_flight(load: Load, cell: Cell, answer_s: float) -> int:
    """How many requests of a cell are under way at a time when answers take up to twice ``answer_s``: its users, or of an open
    loop what its highest rate brings by then."""
    if cell.rate_per_min is None:
        return cell.concurrency
    rate = load.rate_per_min
    peak = cell.rate_per_min if rate is None or isinstance(rate, list) else _varying(load, 0.0).peak_per_min
    return min(cell.concurrency, max(1, math.ceil(2 * answer_s * peak / 60)))


def open_level(load: Load, rate_per_min: float, peak_per_min: float = 0.0) -> LoadLevel:
    """The open loop of a mean rate, which may rise to ``peak_per_min`` for a while."""
    usual = math.ceil(max(rate_per_min, peak_per_min) / 60 * SECONDS_IN_FLIGHT)
    return LoadLevel(load.max_in_flight or min(MOST_IN_FLIGHT, max(FEWEST_IN_FLIGHT, usual)), rate_per_min)


def rate_of(load: Load, cell: Cell) -> RateShape:
    """How the rate of an open loop's cell goes over time, warm-up included: it is at the first rate."""
    if load.rate_per_min is None or isinstance(load.rate_per_min, list):  # a search of rates has none
        assert cell.rate_per_min is not None
        return Steady(cell.rate_per_min)
    return _varying(load, load.warmup_s)


def _varying(load: Load, ahead_s: float) -> RateShape:
    rate = load.rate_per_min
    assert rate is not None and not isinstance(rate, list)
    return rate.shape(ahead_s)


def plan_of_arrivals(config: Config, cell: Cell) -> Iterator[float]:
    """When each request of an open loop's cell is due, seconds after it is opened: the same for every model, and on any number of
    load processes."""
    load = config.load
    seed = f"{config.seed}/arrivals/{cell.bucket}/{cell.rate_per_min}/{cell.block}"
    return arrival_times(load.arrivals, rate_of(load, cell), seed, load.arrivals_shape)


def window_s(load: Load) -> float:
    """How long a cell's window is at least: ``duration_s``, or as long as a rate that changes goes on."""
    rate = load.rate_per_min
    return load.duration_s if rate is None or isinstance(rate, list) else rate.over_s

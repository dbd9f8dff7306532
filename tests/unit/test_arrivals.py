"""Plans of arrivals against arithmetic and SciPy: counts, gaps, rates over time, and the same plan however it is dealt."""

from __future__ import annotations

import random
from itertools import islice, takewhile
from typing import Any

import numpy as np
import pytest
from scipy import stats

from fmbench.config.schema import Config, Load
from fmbench.core.arrivals import arrival_times
from fmbench.core.arrivals.profile import Profile
from fmbench.core.arrivals.ramp import Ramp
from fmbench.core.arrivals.steady import Steady
from fmbench.core.levels import LoadLevel, expected_in_flight, levels_of, plan_of_arrivals, window_s
from fmbench.core.plan import deal_slots, plan_cells
from fmbench.core.records import Cell
from fmbench.core.think_time import left_of_a_thought, think_times
from fmbench.load.worker.arrivals import Arrivals

MODELS = [{"id": "amazon.nova-lite-v1:0"}]


def times(gaps: str, rate: object, count: int, shape: float = 1.0) -> np.ndarray:
    return np.array(list(islice(arrival_times(gaps, rate, "seed", shape), count)))  # type: ignore[arg-type]


def test_poisson_gaps_are_exponential_and_counts_are_as_many_as_asked_for() -> None:
    found = times("poisson", Steady(600), 6000)
    assert stats.kstest(np.diff(found), "expon", args=(0, 0.1)).pvalue > 0.01
    per_second = np.bincount(found.astype(int))[:-1]
    assert per_second.mean() == pytest.approx(10, abs=3 * (10 / len(per_second)) ** 0.5)
    assert per_second.var() == pytest.approx(10, rel=0.25)


def test_constant_gaps_are_all_the_same() -> None:
    assert times("constant", Steady(600), 5).tolist() == pytest.approx([0.05, 0.15, 0.25, 0.35, 0.45])


@pytest.mark.parametrize("shape", [0.25, 4.0])
def test_gamma_gaps_have_the_shape_asked_for(shape: float) -> None:
    gaps = np.diff(times("gamma", Steady(600), 6000, shape))
    assert stats.kstest(gaps, "gamma", args=(shape, 0, 0.1 / shape)).pvalue > 0.01


def test_a_ramp_has_its_rate_at_every_moment() -> None:
    """From 60 to 600 a minute over a minute: 330 in all, and after t seconds t + 9 t^2 / 120."""
    found = times("constant", Ramp(60, 600, 60), 1000)
    assert len(found) == 330
    for at in (10, 30, 59):
        assert np.count_nonzero(found <= at) == pytest.approx(at + 9 * at * at / 120, abs=1)
    assert Ramp(60, 600, 60, ahead_s=5).time_of(5) == pytest.approx(5.0)
    assert Ramp(600, 600, 60).time_of(100) == pytest.approx(10.0)


def test_a_ramp_may_begin_or_end_with_nothing() -> None:
    """From 0 to 600 a minute over a minute: t^2 / 12 after t seconds; and down again, its mirror image."""
    up, down = times("constant", Ramp(0, 600, 60, ahead_s=5), 1000), times("constant", Ramp(600, 0, 60), 1000)
    assert len(up) == len(down) == 300
    for number in (0, 10, 299):
        assert up[number] - 5 == pytest.approx((12 * (number + 0.5)) ** 0.5)
    assert down == pytest.approx(60 - (up[::-1] - 5))


def test_a_rate_that_changes_has_room_for_its_peak() -> None:
    """30 s of 600 a minute are 300 requests, whatever the mean is."""
    quiet = {"profile": [1.0] * 7 + [600.0], "over_s": 80.0}
    for rate in (quiet, {"from": 600.0, "to": 0.0, "over_s": 80.0}):
        config = Config.model_validate({"models": MODELS, "load": {"rate_per_min": rate}})
        assert levels_of(config.load)[0].concurrency == 300


def test_a_profile_has_the_rate_of_each_step() -> None:
    found = times("constant", Profile((60, 600, 0.001, 120), 40, ahead_s=10), 1000)
    counts = [np.count_nonzero((found > start) & (found <= start + 10)) for start in (0, 10, 20, 30, 40)]
    assert counts == [pytest.approx(count, abs=1) for count in (10, 10, 100, 0, 20)]
    assert found.max() <= 50
    silent = times("poisson", Profile((0, 600, 0, 120), 40, ahead_s=10), 1000)
    assert not ((silent <= 20) | ((silent > 30) & (silent <= 40))).any() and 60 < (silent <= 30).sum() < 140


@pytest.mark.parametrize("arrivals", ["poisson", "constant"])
@pytest.mark.parametrize("processes", [1, 3, 8])
def test_any_number_of_load_processes_send_the_same_plan(arrivals: str, processes: int) -> None:
    config = Config.model_validate({"models": MODELS, "load": {"rate_per_min": [600.0], "arrivals": arrivals}})
    (cell,) = plan_cells(config, "numbers", ["en_1-500"])
    whole = list(takewhile(lambda at: at < 60, plan_of_arrivals(config, cell)))
    users = {f"w{n}": len(range(n, cell.concurrency, processes)) for n in range(processes)}
    dealt = []
    for slots in deal_slots(users).values():
        own = Arrivals(plan_of_arrivals(config, cell), slots, cell.concurrency)
        dealt += list(own.overdue(60.0))
    assert sorted(arrival.number for arrival in dealt) == list(range(len(whole)))
    assert sorted(arrival.due_s for arrival in dealt) == whole
    assert len(whole) == pytest.approx(600, abs=3 * 600**0.5 if arrivals == "poisson" else 0)


def test_a_process_without_a_slot_has_nothing_of_a_plan_without_end() -> None:
    idle = Arrivals(arrival_times("constant", Steady(600), "seed"), [], 4)
    assert idle.take() is None and not list(idle.overdue(10.0))


def test_an_arrival_that_is_looked_at_is_not_lost() -> None:
    arrivals = Arrivals(iter([1.0, 2.0, 3.0]), [0], 1)
    assert [one.number for one in arrivals.overdue(1.5)] == [0]
    assert [arrivals.take().number, arrivals.take().number, arrivals.take()] == [1, 2, None]  # type: ignore[union-attr]


def test_levels_are_users_or_rates() -> None:
    def load(**values: object) -> object:
        return Config.model_validate({"models": MODELS, "load": values}).load

    assert levels_of(load(concurrency=[2, 4])) == [LoadLevel(2), LoadLevel(4)]  # type: ignore[arg-type]
    assert levels_of(load(rate_per_min=[60.0, 600.0])) == [LoadLevel(30, 60.0), LoadLevel(300, 600.0)]  # type: ignore[arg-type]
    ramp = load(rate_per_min={"from": 60.0, "to": 600.0, "over_s": 90.0}, max_in_flight=7)
    assert levels_of(ramp) == [LoadLevel(7, 330.0)] and window_s(ramp) == 90.0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spread", "deviation"), [("constant", 0.0), ("uniform", 2 / 3**0.5), ("exponential", 2.0), ("lognormal", 1.0)]
)
def test_thoughts_have_the_mean_and_spread_asked_for(spread: str, deviation: float) -> None:
    thoughts = np.array(list(islice(think_times(random.Random(1), spread, 2.0, 0.5), 40_000)))
    assert thoughts.mean() == pytest.approx(2.0, rel=0.03)
    assert thoughts.std() == pytest.approx(deviation, rel=0.06, abs=1e-9)


@pytest.mark.parametrize(
    ("spread", "expected"), [("constant", stats.uniform(0, 60)), ("exponential", stats.expon(0, 60)), ("uniform", None)]
)
def test_users_who_think_begin_in_the_middle_of_a_thought(spread: str, expected: object) -> None:
    """What is left of it is spread as renewal theory has it: in the mean (mean^2 + variance) / (2 mean)."""
    left = np.array([left_of_a_thought(think_times(random.Random(n), spread, 60.0), 60.0, n / 4000) for n in range(4000)])
    if expected is not None:
        assert stats.kstest(left, expected.cdf).pvalue > 0.01  # type: ignore[attr-defined]
    variance = {"constant": 0.0, "exponential": 3600.0, "uniform": 1200.0}[spread]
    assert left.mean() == pytest.approx((3600 + variance) / 120, rel=0.05)
    assert left_of_a_thought(think_times(random.Random(1), spread, 0.0), 0.0, 0.5) == 0.0


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        ({"concurrency": [7]}, 7),
        ({"rate_per_min": [600]}, 40),  # 10 a second, and answers of 2 s that may take twice as long
        ({"rate_per_min": [600], "max_in_flight": 5}, 5),
        ({"rate_per_min": [0.5]}, 1),
        ({"rate_per_min": {"from": 0, "to": 900, "over_s": 60}}, 60),
        ({"rate_per_min": {"profile": [60, 1200, 60], "over_s": 60}}, 80),
    ],
)
def test_what_is_under_way_at_a_time_by_littles_law(load: dict[str, Any], expected: int) -> None:
    loaded = Load.model_validate(load)
    (level,) = levels_of(loaded)
    cell = Cell(0, "m", "m", "converse", "d", "b", level.concurrency, 0, level.rate_per_min)
    assert expected_in_flight(loaded, cell, 2.0) == expected


@pytest.mark.parametrize("shape", [0.05, 0.5, 20.0])
def test_a_short_window_has_as_many_requests_as_its_rate_says_however_they_scatter(shape: float) -> None:
    """30 requests in 3 s at 600 a minute: a renewal process begun with an arrival has (1 / shape - 1) / 2 more, 9.5 at 0.05."""
    counts = [
        sum(1 for _ in takewhile(lambda at: at < 3.0, arrival_times("gamma", Steady(600), f"{n}", shape))) for n in range(600)
    ]
    error = (30 / shape + 1 / shape**2) ** 0.5 / len(counts) ** 0.5
    assert np.mean(counts) == pytest.approx(30, abs=4 * error)

"""Intervals: known formulas on independent data (SciPy as the oracle), and coverage on simulated dependent data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal, stats

from fmbench.core.clusters import Common
from fmbench.core.intervals import (
    Dependence,
    dependence,
    difference_interval,
    mean_interval,
    percentile_interval,
    quantile_dependence,
    quantile_interval,
    share_interval,
)


def alone(count: int) -> Dependence:
    """Independent values, and so many of them that Student's t is the normal."""
    return Dependence(count, 10**9, 1.0)


def autoregression(rng: np.random.Generator, count: int, lag: float) -> np.ndarray:
    shocks = rng.standard_normal(count + 500) * math.sqrt(1 - lag**2)
    return np.asarray(signal.lfilter([1], [1, -lag], shocks)[500:])


def test_independent_values_are_worth_their_number() -> None:
    rng = np.random.default_rng(1)
    worth = [dependence(rng.lognormal(0, 0.5, 1000)).effective for _ in range(200)]
    assert np.median(worth) == 1000


@pytest.mark.parametrize("lag", [0.5, 0.8])
def test_dependent_values_are_worth_fewer(lag: float) -> None:
    rng = np.random.default_rng(2)
    worth = [dependence(autoregression(rng, 5000, lag)).effective for _ in range(100)]
    # theory: n (1 - lag) / (1 + lag)
    assert np.mean(worth) == pytest.approx(5000 * (1 - lag) / (1 + lag), rel=0.15)


def test_symmetric_values_have_students_interval() -> None:
    values = np.concatenate([np.arange(-10.0, 11), [0.0]])
    rng = np.random.default_rng(5)
    rng.shuffle(values)
    low, high = mean_interval(values, Dependence(22, 22, 1.0)) or (0, 0)
    oracle = stats.t.interval(0.95, 21, loc=values.mean(), scale=stats.sem(values))
    assert (low, high) == pytest.approx(oracle, rel=1e-6)


def test_a_skewed_mean_reaches_further_to_the_long_side() -> None:
    values = np.random.default_rng(3).lognormal(0, 1, 50)
    low, high = mean_interval(values) or (0, 0)
    assert high - values.mean() > values.mean() - low > 0


def test_equal_values_have_no_width_and_one_value_no_interval() -> None:
    assert mean_interval(np.full(30, 0.2)) == pytest.approx((0.2, 0.2), rel=1e-12)
    assert mean_interval(np.array([1.0])) is None
    assert mean_interval(np.array([])) is None


@pytest.mark.parametrize(("within", "count"), [(0, 20), (3, 40), (72, 72), (95, 100)])
def test_a_share_has_clopper_and_pearsons_interval(within: int, count: int) -> None:
    oracle = stats.binomtest(within, count).proportion_ci(0.95, method="exact")
    assert share_interval(within, alone(count)) == pytest.approx((oracle.low, oracle.high), abs=1e-7)


def test_dependent_trials_are_fewer_trials() -> None:
    oracle = stats.binomtest(10, 20).proportion_ci(0.95, method="exact")
    assert share_interval(50, Dependence(100, 10**9, 5.0)) == pytest.approx((oracle.low, oracle.high), abs=1e-7)


def test_the_median_of_many_has_the_order_statistics_of_the_binomial() -> None:
    values = np.arange(1.0, 1001)
    low, high = quantile_interval(values, 0.5, alone(1000)) or (0, 0)
    # ranks between which a binomial(1000, 1/2) lies in 95 %
    assert low == pytest.approx(stats.binom.ppf(0.025, 1000, 0.5), abs=1)
    assert high == pytest.approx(stats.binom.ppf(0.975, 1000, 0.5) + 1, abs=1)


def test_the_largest_value_bounds_the_p95_of_72() -> None:
    values = np.sort(np.random.default_rng(4).lognormal(0, 0.5, 72))
    low, high = quantile_interval(values, 0.95, alone(72)) or (0, 0)
    # 0.95^72 = 0.0249: the largest value is the 97.5 % bound, to within an interpolated rank
    assert values[-2] < high <= values[-1]
    assert low < np.quantile(values, 0.95)


def test_a_bound_beyond_the_sample_is_finite_and_beyond_it() -> None:
    values = np.sort(np.random.default_rng(4).lognormal(0, 0.5, 80))
    _, high = quantile_interval(values, 0.95, Dependence(80, 20, 4.0)) or (0, 0)
    assert values[-1] <= high < 10 * values[-1]


def test_the_p95_of_prompts_like_these_is_that_of_few_prompts() -> None:
    """All forty prompts lie below their p95 in 13 % of the cells (0.95^40), however often each is asked: an interval that ends
    within the answers to the slowest one misses. Prompts and answers are log-normal: the p95 of all is by arithmetic."""
    rng, truth, held = np.random.default_rng(17), math.exp(math.hypot(0.4, 0.02) * stats.norm.ppf(0.95)), 0
    for _ in range(400):
        asked = rng.permuted(np.tile(np.arange(40), 10))
        values = np.exp(0.4 * rng.standard_normal(40)[asked] + 0.02 * rng.standard_normal(400))
        low, high = percentile_interval(values, np.sort(values), 0.95, Common(prompts=asked)) or (0, 0)
        held += low <= truth <= high
    assert held / 400 >= 0.93


def test_a_difference_of_symmetric_intervals_adds_their_squares() -> None:
    low, high = difference_interval(10.0, (7.0, 13.0), 4.0, (0.0, 8.0))
    assert (low, high) == pytest.approx((6 - 5, 6 + 5))  # 3 and 4 make 5


@given(st.lists(st.floats(0.001, 100), min_size=2, max_size=300), st.sampled_from([0.5, 0.9, 0.95]))
def test_an_interval_holds_its_estimate(values: list[float], share: float) -> None:
    series = np.array(values)
    low, high = mean_interval(series) or (0, 0)
    mean = float(series.mean())
    assert low - 1e-9 * mean <= mean <= high + 1e-9 * mean
    if len(series) >= 72:
        ascending = np.sort(series)
        bounds = quantile_interval(ascending, share, quantile_dependence(series, ascending, share))
        assert bounds is not None
        assert bounds[0] <= float(np.quantile(series, share)) * (1 + 1e-9)
        assert bounds[1] >= float(np.quantile(series, share)) * (1 - 1e-9)


@pytest.mark.parametrize("lag", [0.0, 0.6])
def test_intervals_cover_the_truth(lag: float) -> None:
    """Of 300 runs of 1,000 log-normal values; the benchmark in benchmarks/statistics does the whole table."""
    rng = np.random.default_rng(6)
    covered = np.zeros(2)
    for _ in range(300):
        series = np.exp(0.5 * autoregression(rng, 1000, lag))
        ascending = np.sort(series)
        mean = mean_interval(series) or (0, 0)
        tail = quantile_interval(ascending, 0.95, quantile_dependence(series, ascending, 0.95)) or (0, 0)
        truths = math.exp(0.125), math.exp(0.5 * float(stats.norm.ppf(0.95)))
        covered += [low <= truth <= high for (low, high), truth in zip((mean, tail), truths, strict=True)]
    # 95 % of 300 is 285; fewer than 273 has a chance of about 1 in 1,000
    assert (covered >= 273).all()


def test_users_that_differ_make_requests_tell_less() -> None:
    """16 users with levels of their own: the mean is as sure as 16 users can make it (Student's t of the users' means)."""
    rng = np.random.default_rng(11)
    users = np.tile(np.arange(16), 50)
    series = rng.normal(10, 1, 800) + rng.normal(0, 1, 16)[users]
    found, alone = mean_interval(series, dependence(series, Common(users=users))), mean_interval(series)
    means = series.reshape(50, 16).mean(axis=0)
    low, high = stats.t.interval(0.95, 15, means.mean(), means.std(ddof=1) / 4)
    assert found is not None and alone is not None
    assert found == pytest.approx((low, high), abs=0.06)
    assert alone[1] - alone[0] < 0.5 * (found[1] - found[0])


def test_users_that_do_not_differ_widen_next_to_nothing() -> None:
    rng, wider = np.random.default_rng(12), []
    for _ in range(100):
        series = rng.normal(10, 1, 800)
        widths = [
            np.ptp(mean_interval(series, dependence(series, common)) or (0.0, 0.0))
            for common in (Common(users=np.tile(np.arange(16), 50)), None)
        ]
        wider.append(widths[0] / widths[1])
    assert np.mean(wider) < 1.1


def test_the_same_prompts_again_and_again_tell_of_so_many_prompts() -> None:
    rng = np.random.default_rng(13)
    prompts = np.tile(np.arange(20), 40)
    series = rng.normal(0, 1, 20)[prompts] * 5 + 10 + rng.normal(0, 0.1, 800)
    known = dependence(series, Common(prompts=prompts))
    assert known.effective == pytest.approx(20, rel=0.15)


def test_the_upper_end_of_a_tail_counts_that_what_is_far_beyond_is_all_of_a_few_slow_spells() -> None:
    """Of 4,000 values 108 lie in three spells that are four times as slow. Three events seen may be 8.8 on average (Poisson,
    97.5 %): then 7.9 % are slow, and p95 is what 63 % of those exceed, 4 e^(0.3 z) = 3.6."""
    rng = np.random.default_rng(4)
    series = rng.lognormal(0, 0.3, 4000)
    for begin in (500, 1700, 3300):
        series[begin : begin + 36] *= 4
    ascending = np.sort(series)
    plain = quantile_interval(ascending, 0.95, quantile_dependence(series, ascending, 0.95)) or (0.0, 0.0)
    found = percentile_interval(series, ascending, 0.95, None) or (0.0, 0.0)
    assert found[0] == plain[0]
    assert plain[1] < 4 * np.exp(0.3 * stats.norm.ppf(1 - 0.05 / 0.079)) < found[1]
    independent = rng.lognormal(0, 0.3, 4000)
    ascending = np.sort(independent)
    plain = quantile_interval(ascending, 0.95, quantile_dependence(independent, ascending, 0.95)) or (0.0, 0.0)
    assert (percentile_interval(independent, ascending, 0.95, None) or (0.0, 0.0))[1] < 1.05 * plain[1]

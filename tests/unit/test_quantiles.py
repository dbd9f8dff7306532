"""Quantiles against an independent implementation (scipy.stats.mstats.mquantiles, arithmetic by hand) and their sample floors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, mstats

from fmbench.core.quantiles import quantile_of_sorted, stated_quantile
from fmbench.core.samples import samples_needed

DISTRIBUTIONS = {
    "normal": lambda rng, n: rng.normal(5, 1, n),
    "uniform": lambda rng, n: rng.random(n),
    "exponential": lambda rng, n: rng.exponential(1, n),
    "log-normal": lambda rng, n: rng.lognormal(0, 0.6, n),
    "log-normal, wide": lambda rng, n: rng.lognormal(0, 2, n),
    "gamma": lambda rng, n: rng.gamma(2, 1, n),
    "beta": lambda rng, n: rng.beta(0.5, 0.5, n),
    "Pareto": lambda rng, n: 1 + rng.pareto(1.5, n),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "Student 3": lambda rng, n: rng.standard_t(3, n),
    "Weibull": lambda rng, n: rng.weibull(0.7, n),
    "Laplace": lambda rng, n: rng.laplace(0, 1, n),
    "Poisson": lambda rng, n: rng.poisson(3, n).astype(float),
    "geometric": lambda rng, n: rng.geometric(0.2, n).astype(float),
    "two peaks": lambda rng, n: np.where(rng.random(n) < 0.5, rng.normal(1, 0.1, n), rng.normal(9, 0.1, n)),
    "one in a hundred slow": lambda rng, n: np.where(rng.random(n) < 0.01, 60.0, rng.normal(1, 0.1, n)),
    "constant": lambda rng, n: np.full(n, 0.25),
    "clock ticks": lambda rng, n: np.round(rng.lognormal(0, 0.5, n), 2),
}


@pytest.mark.parametrize("size", [1, 2, 3, 20, 72, 368, 5000])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_quantile_is_that_of_an_independent_implementation(name: str, size: int) -> None:
    values = DISTRIBUTIONS[name](np.random.default_rng(size), size)
    for share in (0.5, 0.9, 0.95, 0.99):
        theirs = float(mstats.mquantiles(values, [share], alphap=1, betap=1)[0])  # alpha = beta = 1: Hyndman and Fan's type 7
        assert quantile_of_sorted(np.sort(values), share) == pytest.approx(theirs, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_workers_samples_are_pooled_and_never_averaged(name: str) -> None:
    rng = np.random.default_rng(3)
    parts = [DISTRIBUTIONS[name](rng, size) for size in (7, 400, 93)]
    pooled = np.concatenate(parts)
    whole = float(mstats.mquantiles(pooled, [0.95], alphap=1, betap=1)[0])
    for order in (parts, parts[::-1]):
        assert stated_quantile(np.sort(np.concatenate(order)), 0.95) == pytest.approx(whole, rel=1e-12)


def test_by_hand() -> None:
    # position (4 - 1) * 0.9 = 2.7: between the third and fourth value, 0.7 of the way
    assert quantile_of_sorted(np.array([1.0, 2.0, 4.0, 8.0]), 0.9) == pytest.approx(4 + 0.7 * 4)
    assert math.isnan(quantile_of_sorted(np.array([]), 0.5))


@pytest.mark.parametrize(("share", "floor"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_a_percentile_is_stated_from_its_floor_on(share: float, floor: int) -> None:
    values = np.arange(floor, dtype=float)
    assert stated_quantile(values, share) is not None
    assert stated_quantile(values[:-1], share) is None


@given(st.floats(0.01, 0.999))
def test_the_floor_is_the_first_sample_that_can_bound_the_quantile(share: float) -> None:
    needed = samples_needed(share)

    def worst_tail(count: int) -> float:
        # the quantile lies above all values, or below all of them, with these chances
        return max(float(binom.pmf(count, count, share)), float(binom.pmf(0, count, share)))

    assert worst_tail(needed) <= 0.025 + 1e-12
    assert needed == 1 or worst_tail(needed - 1) > 0.025 - 1e-12


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5])
def test_a_share_outside_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        samples_needed(share)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.floats(0.001, 0.999))
def test_a_quantile_lies_within_its_sample_and_rises_with_its_share(values: list[float], share: float) -> None:
    ascending = np.sort(np.array(values))
    found = quantile_of_sorted(ascending, share)
    slack = 1e-9 * (1 + abs(found))
    assert ascending[0] - slack <= found <= ascending[-1] + slack
    assert quantile_of_sorted(ascending, share * 0.9) <= found + slack

"""A percentile's shift in seconds: its interval holds the true one as often as it says, and equals are told apart as seldom."""

from __future__ import annotations

import numpy as np
import pytest

from fmbench.core.contrast import Side
from fmbench.core.shifts import of_shift

STUDIES = 120


def _sides(rng: np.random.Generator, shift: float) -> tuple[Side, Side]:
    """150 requests a side over 50 prompts, which make most of a request's time."""
    effects = rng.normal(0, 0.3, 50)
    prompts = np.concatenate([rng.permutation(50) for _ in range(3)])
    sides = [Side(np.exp(effects[prompts] + rng.normal(0, 0.3, 150)) + gap, prompts=prompts) for gap in (0.0, shift)]
    return sides[0], sides[1]


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_intervals_cover_and_equals_are_equal(share: float) -> None:
    rng = np.random.default_rng(5)
    held = alarms = 0
    for _ in range(STUDIES):
        found, same = of_shift(*_sides(rng, -0.4), share), of_shift(*_sides(rng, 0.0), share)
        assert found is not None and same is not None
        held += found.interval[0] <= -0.4 <= found.interval[1]
        alarms += same.p < 0.05
    assert held >= 107, "95 % of 120 is 114, and fewer than 107 are seen once in a thousand times"
    assert alarms <= 13


def test_the_shift_is_the_difference_of_the_percentiles() -> None:
    a, b = _sides(np.random.default_rng(1), 1.0)
    found = of_shift(a, b, 0.5)
    assert found is not None
    assert found.change == pytest.approx(np.median(b.values) - np.median(a.values))
    assert found.paired
    assert found.p < 1e-6


def test_few_values_say_nothing() -> None:
    assert of_shift(Side(np.ones(7)), Side(np.ones(70)), 0.5) is None


def test_values_that_are_all_the_same_are_a_shift_without_doubt() -> None:
    found = of_shift(Side(np.full(80, 1.0)), Side(np.full(80, 1.25)), 0.5)
    assert found is not None
    assert found.interval == pytest.approx((0.25, 0.25), abs=0.01)

"""The end of the warm-up: MSER-5 by its definition, written out, and on series with a known step."""

from __future__ import annotations

import numpy as np
import pytest

from fmbench.core.steady import mser5_cut, steady_state


def mser5_written_out(series: np.ndarray) -> int:
    """The definition, term by term: the truncation that makes the squared standard error of the rest smallest."""
    means = [float(np.mean(series[start : start + 5])) for start in range(0, len(series) - len(series) % 5, 5)]
    errors = []
    for cut in range(len(means) // 2 + 1):
        rest = np.array(means[cut:])
        errors.append(float(((rest - rest.mean()) ** 2).sum()) / len(rest) ** 2)
    return 5 * int(np.argmin(errors))


@pytest.mark.parametrize("seed", range(12))
def test_the_cut_is_that_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    series = rng.lognormal(0, 0.4, int(rng.integers(40, 400)))
    series[: int(rng.integers(0, 30))] += 2.0
    assert mser5_cut(series) == mser5_written_out(series)


@pytest.mark.parametrize("ramp", [20, 60])
def test_a_ramp_at_the_start_is_found(ramp: int) -> None:
    rng = np.random.default_rng(ramp)
    series = rng.lognormal(0, 0.1, 300)
    series[:ramp] += np.linspace(3.0, 1.0, ramp)
    found = steady_state(np.arange(300.0), series)
    assert found is not None
    assert ramp - 10 <= found.steady_from <= ramp + 40
    assert found.before > found.after


def test_steady_series_are_left_alone() -> None:
    rng = np.random.default_rng(9)
    found = [steady_state(np.arange(200.0), rng.lognormal(0, 0.4, 200)) for _ in range(200)]
    assert sum(cut is not None for cut in found) <= 4


def test_a_short_series_says_nothing() -> None:
    assert steady_state(np.arange(20.0), np.linspace(9, 1, 20)) is None
    assert steady_state(np.array([]), np.array([])) is None

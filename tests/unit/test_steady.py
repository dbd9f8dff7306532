"""The end of the warm-up: MSER-5 by its definition, written out, and on series with a known step."""

from __future__ import annotations

import numpy as np
import pytest

from fmbench.core.steady import mser5_cut, steady_state, unsteady_s


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


def ramp_then_steady(rng: np.random.Generator, ramp: int, all_: int) -> np.ndarray:
    """A queue that fills: latencies that grow to the steady level over the first answers."""
    series = rng.lognormal(0, 0.2, all_)
    series[:ramp] *= np.linspace(0.3, 1.0, ramp)
    return series


def told(series: np.ndarray, begin: int) -> tuple[float, float]:
    """Of the window from the answer ``begin`` on: answers before the cut, and those that the window is said to be late by."""
    times = np.arange(float(len(series)))
    steady = steady_state(times, series)
    if steady is None:
        return 0.0, 0.0
    return max(0.0, steady.steady_from - begin), unsteady_s(steady, times, series, begin, len(series))


def test_a_window_behind_a_ramp_is_not_called_early_for_where_the_cut_happens_to_lie() -> None:
    rng = np.random.default_rng(4)
    windows = [told(ramp_then_steady(rng, 50, 220), 70) for _ in range(400)]
    by_the_cut = sum(cut > 15 for cut, _ in windows)
    assert by_the_cut >= 10
    assert sum(late > 15 for _, late in windows) <= 4


@pytest.mark.parametrize("downwards", [False, True])
def test_a_window_that_begins_in_the_ramp_is_late_by_what_is_left_of_it(downwards: bool) -> None:
    rng = np.random.default_rng(5)
    windows = []
    for _ in range(100):
        series = ramp_then_steady(rng, 60, 220)
        windows.append(told(1 / series if downwards else series, 20)[1])
    assert sum(late > 15 for late in windows) >= 97
    assert 25 <= float(np.median(windows)) <= 50


def test_a_window_that_changes_back_at_its_start_is_no_part_of_the_ramp() -> None:
    rng = np.random.default_rng(6)
    series = ramp_then_steady(rng, 40, 220)
    steady = steady_state(np.arange(220.0), series)
    assert steady is not None
    higher = series.copy()
    higher[: steady.cut] = 2.0
    assert unsteady_s(steady, np.arange(220.0), higher, 0.0, 220.0) == 0.0

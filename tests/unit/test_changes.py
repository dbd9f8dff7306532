"""A change inside a window, put there by the test: when it was and how large."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import signal

from fmbench.core.changes import change_in
from tests.unit.made import Cellful, row, run_of, summarise

TIMES = np.arange(600) / 2


def noise(rng: np.random.Generator, sigma: float = 0.5) -> np.ndarray:
    return np.exp(sigma * rng.standard_normal(600))


def test_a_shift_in_the_middle_is_told_with_its_time_and_size() -> None:
    rng, found = np.random.default_rng(1), []
    for _ in range(20):
        change = change_in(TIMES, noise(rng) * np.where(TIMES < 150, 1.0, 1.5))
        if change is not None and change.kind == "shift":
            found.append((change.at, change.after / change.before))
    assert len(found) >= 18
    assert np.median(found, axis=0) == pytest.approx([150, 1.5], rel=0.05)


def test_a_growth_to_twice_the_latency_is_told_as_such() -> None:
    rng = np.random.default_rng(2)
    kinds = [change.kind for _ in range(20) if (change := change_in(TIMES, noise(rng) * (1 + TIMES / 300)))]
    assert len(kinds) >= 19 and kinds.count("growth") >= 15


def test_a_falling_start_of_one_and_a_half_is_found() -> None:
    rng, found = np.random.default_rng(3), 0
    for _ in range(20):
        change = change_in(TIMES, noise(rng, 0.3) * (1 + 0.5 * np.exp(-TIMES / 30)))
        found += change is not None and change.after < change.before
    assert found >= 18


@pytest.mark.parametrize("lag", [0.0, 0.6, 0.9])
def test_what_does_not_change_is_seldom_told_to(lag: float) -> None:
    rng, told = np.random.default_rng(4), 0
    for _ in range(30):
        shocks = rng.standard_normal(1100) * math.sqrt(1 - lag**2)
        told += change_in(TIMES, np.exp(0.5 * signal.lfilter([1], [1, -lag], shocks)[500:])) is not None
    assert told <= 2


def test_the_summary_says_so_in_a_finding() -> None:
    rng = np.random.default_rng(5)
    values = rng.lognormal(0, 0.2, 200) * np.where(np.arange(200) < 100, 0.5, 1.0)
    rows = [row(float(k), float(value)) for k, value in enumerate(values)]
    summary = summarise(*run_of([Cellful(rows, window=(0.0, 200.0))]), pd.DataFrame())
    change = summary["cells"][0]["change"]
    assert (change["kind"], change["at_s"]) == ("shift", pytest.approx(100, abs=5))
    assert change["after_s"] / change["before_s"] == pytest.approx(2, rel=0.1)
    assert any(finding["subject"] == "change" for finding in summary["validity"]["findings"])

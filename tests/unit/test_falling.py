"""A window that begins slow is found, with its size; one that does not is seldom said to."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import signal

from fmbench.core.falling import FallingStart, falling_start
from tests.unit.made import Cellful, row, run_of, summarise

USERS, SECONDS = 8, 60.0


def window(rng: np.random.Generator, size: float = 1.0, fade_s: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Eight users who never rest for a minute; answers take about a second (log-normal, 0.5), at first ``size`` times as long."""
    sent, took = [], []
    for user in range(USERS):
        now = user / USERS
        while now < SECONDS:
            value = (1 + (size - 1) * max(0.0, 1 - now / fade_s)) * rng.lognormal(0, 0.5)
            sent.append(now)
            took.append(value)
            now += value
    order = np.argsort(sent)
    return np.array(sent)[order], np.array(took)[order]


def clear(found: FallingStart | None) -> bool:
    return found is not None and found.p < 0.05


def test_a_start_of_one_and_a_half_that_fades_in_ten_seconds_is_found() -> None:
    """Nine of ten and more: 100 windows of some 400 answers, whose mean is 4 % too high by it."""
    rng = np.random.default_rng(1)
    found = [falling_start(*window(rng, 1.5), 0.0, SECONDS) for _ in range(100)]
    known = [one for one in found if one is not None and one.p < 0.05]
    assert len(known) >= 90
    assert np.median([one.factor for one in known]) == pytest.approx(1.55, abs=0.12)
    assert np.median([one.lasts_s for one in known]) == pytest.approx(10.0)


def test_what_begins_as_it_goes_on_is_seldom_said_to_begin_slow() -> None:
    """At most one in twenty: of 200 windows at most 19 (else p < 0.01)."""
    rng = np.random.default_rng(2)
    assert sum(clear(falling_start(*window(rng), 0.0, SECONDS)) for _ in range(200)) <= 19


@pytest.mark.parametrize("lag", [0.3, 0.9])
def test_neighbours_that_resemble_each_other_make_no_start(lag: float) -> None:
    rng, told = np.random.default_rng(3), 0
    for _ in range(100):
        shocks = rng.standard_normal(1100) * math.sqrt(1 - lag**2)
        series = np.exp(0.5 * signal.lfilter([1], [1, -lag], shocks)[500:])
        told += clear(falling_start(np.arange(600.0), series, 0.0, 600.0))
    assert told <= 12


def test_a_slower_end_is_no_slow_start_and_few_values_say_nothing() -> None:
    times, series = window(np.random.default_rng(4))
    assert not clear(falling_start(times, series * np.where(times > 50, 1.5, 1.0), 0.0, SECONDS))
    assert falling_start(times[:30], series[:30], 0.0, SECONDS) is None


def test_the_summary_says_so_in_a_finding() -> None:
    times, series = window(np.random.default_rng(5), 2.0)
    rows = [
        row(float(sent), float(took), user=place % USERS) for place, (sent, took) in enumerate(zip(times, series, strict=True))
    ]
    summary = summarise(*run_of([Cellful(rows, concurrency=USERS, window=(0.0, SECONDS))]), pd.DataFrame())
    start = summary["cells"][0]["falling_start"]
    assert start["factor"] == pytest.approx(2.0, rel=0.35) and start["p"] < 0.01
    said = [finding["message"] for finding in summary["validity"]["findings"] if finding["subject"] == "change"]
    assert len(said) == 1

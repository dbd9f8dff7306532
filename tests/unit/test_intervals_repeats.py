"""Studies that were repeated: what the requests of one repeat have in common bounds what is known, however many there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fmbench.core.intervals import dependence, mean_interval, share_interval
from tests.unit.made import Cellful, row, run_of, summarise

RUNS = 400


@pytest.mark.parametrize(("blocks", "lowest"), [(3, 0.88), (5, 0.925), (10, 0.925)])
def test_the_interval_of_a_mean_holds_when_the_hours_differ(blocks: int, lowest: float) -> None:
    random = np.random.default_rng(7)
    numbers = np.repeat(np.arange(float(blocks)), 200)
    held = 0
    for _ in range(RUNS):
        series = random.gamma(4, 0.25, len(numbers)) + random.normal(0, 0.2, blocks)[numbers.astype(int)]
        low, high = mean_interval(series, dependence(series, numbers)) or (0, 0)
        held += low <= 1 <= high
    assert lowest <= held / RUNS


def test_from_five_repeats_on_the_interval_is_that_of_their_means() -> None:
    hours = np.array([0.8, 1.1, 0.9, 1.3, 1.2, 1.0])
    series = np.repeat(hours, 100) + np.tile([-0.01, 0.01], 300)
    low, high = mean_interval(series, dependence(series, np.repeat(np.arange(6.0), 100))) or (0, 0)
    by_hand = stats.ttest_1samp(hours, 0).confidence_interval(0.95)
    assert (low, high) == (pytest.approx(by_hand.low, abs=0.01), pytest.approx(by_hand.high, abs=0.01))


def test_repeats_that_are_alike_cost_little_precision() -> None:
    series = np.random.default_rng(3).normal(1, 0.3, 600)
    alone = mean_interval(series, dependence(series)) or (0, 0)
    blocks = mean_interval(series, dependence(series, np.repeat(np.arange(6.0), 100))) or (0, 0)
    assert blocks[1] - blocks[0] < 1.6 * (alone[1] - alone[0])


def test_a_share_that_each_repeat_has_its_own_of() -> None:
    flags = np.concatenate([np.ones(100), np.zeros(100)] * 3)
    known = dependence(flags, np.repeat(np.arange(6.0), 100))
    assert known.effective == pytest.approx(5, abs=1)
    low, high = share_interval(300, known)
    assert low < 0.15 and high > 0.85


def test_a_summary_pools_the_repeats_of_a_cell_and_sees_that_they_differ() -> None:
    cells = []
    for block in range(6):
        e2e = 0.4 + 0.1 * (block % 3)
        rows = [row(20 * block + k / 10, e2e + 0.001 * (k % 7), block=block) for k in range(100)]
        cells.append(Cellful(rows, start=20 * block, line={"block": block}))
    records, manifest = run_of(cells)
    (cell,) = summarise(records, manifest, pd.DataFrame())["cells"]
    assert (cell["blocks"], cell["requests"], cell["duration_s"]) == (6, 600, pytest.approx(60))
    assert cell["e2e_s"]["mean"] == pytest.approx(0.5 + 0.003, abs=0.001)
    hours = stats.ttest_1samp([0.4, 0.5, 0.6] * 2, 0).confidence_interval(0.95)
    low, high = cell["e2e_s"]["ci95"]["mean"]
    assert high - low == pytest.approx(hours.high - hours.low, rel=0.1)
    assert cell["e2e_s"]["n_effective"] < 10

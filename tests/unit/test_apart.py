"""How far two models are apart: by prompt where both were sent the same ones, against scipy and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from fmbench.core import summary
from fmbench.core.apart import apart
from fmbench.core.cells import measured_cells
from fmbench.core.figures.cost import COST
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.results import CellResult, result_of
from fmbench.core.table import read
from tests.unit.made import Cellful, row, run_of

Floats = NDArray[np.float64]


def cell_of(model: str, costs: Floats, prompts: list[str], users: int = 16) -> Cellful:
    made = [
        row(k / users, usd=float(cost), prompt_id=name, user=k % users)
        for k, (cost, name) in enumerate(zip(costs, prompts, strict=True))
    ]
    return Cellful(made, model, concurrency=users, window=(0.0, len(made) / users))


def results(cells: list[Cellful]) -> list[CellResult]:
    records, manifest = run_of(cells)
    return [result_of(cell, [], "", pd.DataFrame()) for cell in measured_cells(read(records), manifest["cells"], {})]


def test_the_same_prompts_are_compared_as_scipy_s_paired_t() -> None:
    rng = np.random.default_rng(1)
    usual, names = 0.001 * rng.lognormal(0, 0.45, 150), [f"p{k}" for k in range(150)]
    a, b = usual * rng.lognormal(0, 0.05, 150), 1.03 * usual * rng.lognormal(0, 0.05, 150)
    found = apart(*results([cell_of("a", a, names), cell_of("b", b, names)]), COST)
    oracle = stats.ttest_rel(10_000 * b, 10_000 * a)
    assert found is not None and found.paired and found.p is not None
    assert found.difference == pytest.approx(10_000 * (b - a).mean())
    assert found.interval == pytest.approx(tuple(oracle.confidence_interval(0.95)), rel=0.1)
    assert not found.is_noise() and oracle.pvalue < 0.05


def test_other_prompts_are_compared_by_each_cell_s_own_interval() -> None:
    rng = np.random.default_rng(2)
    a, b = (0.001 * rng.lognormal(0, 0.45, 150) for _ in range(2))
    cells = [cell_of(name, cost, [f"{name}{k}" for k in range(150)]) for name, cost in (("a", a), ("b", b))]
    found = apart(*results(cells), COST)
    oracle = stats.ttest_ind(10_000 * b, 10_000 * a, equal_var=False).confidence_interval(0.95)
    assert found is not None and not found.paired
    assert found.interval[1] - found.interval[0] == pytest.approx(oracle.high - oracle.low, rel=0.08)


def test_throughput_is_never_compared_by_prompt() -> None:
    names = [f"p{k % 30}" for k in range(120)]
    cells = [cell_of(model, np.full(120, 0.001), names, users) for model, users in (("a", 2), ("b", 4))]
    found = apart(*results(cells), TRANSACTIONS)
    assert found is not None and not found.paired


def test_a_model_that_is_three_per_cent_dearer_is_found_by_prompt_and_not_without() -> None:
    """20 studies of 400 requests to 100 prompts whose costs differ by half of themselves."""
    rng = np.random.default_rng(3)
    usual = 0.001 * rng.lognormal(0, 0.45, 100)
    told = {True: 0, False: 0}
    for same in (True, False):
        for _ in range(20):
            labels = np.tile(np.arange(100), 4)
            costs = [factor * usual[labels] * rng.lognormal(0, 0.05, 400) for factor in (1.0, 1.03)]
            names = [[f"p{k}" if same else f"{model}{k}" for k in labels] for model in "ab"]
            cells = [cell_of(model, cost, words) for model, cost, words in zip("ab", costs, names, strict=True)]
            records, manifest = run_of(cells, {"error_rate": 0.05, "prefer": "cost"})
            chosen = summary.summarise(records, manifest, pd.DataFrame())["recommendation"]
            told[same] += chosen["model"] == "a" and not chosen["tied_with"] and chosen["runner_up"]["margin"]["paired"] is same
    assert told[True] == 20
    assert told[False] <= 2

"""Before the run: how many requests an objective takes, and which cells of a plan will not bring them."""

from __future__ import annotations

import pytest

from fmbench.config.schema import Config
from fmbench.core.deciding import fewest_to_decide, needs_of
from fmbench.core.estimate import CellEstimate, Estimate
from fmbench.core.objectives import Objective
from fmbench.core.records import Cell
from fmbench.run.decidable import decidable


@pytest.mark.parametrize(
    ("name", "limit", "requests"),
    [
        ("ttft_p95_s", 1.0, 72),
        ("e2e_p50_s", 1.0, 6),
        ("e2e_p99_s", 1.0, 368),
        ("error_rate", 0.01, 299),
        ("usd_per_10k", 5.0, None),
    ],
)
def test_an_objective_takes_so_many_requests_at_least(name: str, limit: float, requests: int | None) -> None:
    """0.95^72 < 2.5 % < 0.95^71; 0.99^299 < 5 % < 0.99^298."""
    assert fewest_to_decide(Objective(name, limit)) == requests


def row(number: int, users: int, requests: int) -> CellEstimate:
    cell = Cell(number, "lite", "amazon.nova-lite-v1:0", "converse-stream", "d", "en_1-500", users)
    return CellEstimate(cell=cell, requests=requests, input_tokens=0, output_tokens=0, seconds=40.0, usd=None)


def test_the_cells_that_cannot_decide_are_named_with_the_cure() -> None:
    """A quarter of the 40 s is warm-up: 80 requests are 60 measured ones, 120 are 90."""
    rows = [row(0, 1, 80), row(1, 2, 120)]
    (need,) = needs_of([Objective("ttft_p95_s", 1.0)], rows, 10.0)
    assert [one.cell.concurrency for one in need.short] == [1]
    config = Config.model_validate(
        {"models": [{"id": "amazon.nova-lite-v1:0"}], "load": {"warmup_s": 10.0}, "objectives": {"ttft_p95_s": 1.0}}
    )
    estimate = Estimate(rows=rows, requests=200, input_tokens=0, output_tokens=0, seconds=80.0, usd=None, unpriced=[])
    lines = [line for line in decidable(config, estimate) if line.startswith("ttft_p95_s")]
    assert len(lines) == 1 and "72 measured requests" in lines[0]
    assert "1 of 2 cells are not" in lines[0] and "lite en_1-500 at 1 user)" in lines[0] and "load.min_requests: 72" in lines[0]

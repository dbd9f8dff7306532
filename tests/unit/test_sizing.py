"""How many load processes a plan takes: by hand from what events and requests were measured to cost."""

from __future__ import annotations

import pytest

from fmbench.core.estimate import CellEstimate
from fmbench.core.records import Cell
from fmbench.core.sizing import Size, size_of


def row(users: int, *, requests: int, tokens: int, seconds: float, rate: float | None = None) -> CellEstimate:
    cell = Cell(0, "m", "m", "converse-stream", "d", "b", users, rate_per_min=rate)
    return CellEstimate(cell=cell, requests=requests, input_tokens=0, output_tokens=tokens, seconds=seconds, usd=None)


@pytest.mark.parametrize(
    ("size", "processes"),
    [
        (Size(64, 1_920, 10), 1),  # 48 ms + 10 ms a second
        (Size(1_000, 30_000, 300), 2),  # 0.75 + 0.3 = 1.05 cores, 1.5 at 70 %
        (Size(10_000, 300_000, 3_000), 15),  # 7.5 + 3 = 10.5 cores, 15 at 70 %
        (Size(10_000, 1_000, 10), 5),  # by streams alone
        (Size(0, 0, 0), 1),
    ],
)
def test_cores_at_seventy_per_cent_or_streams_whichever_takes_more(size: Size, processes: int) -> None:
    assert size.processes == processes


def test_the_cell_that_takes_most_counts_and_an_open_loop_by_its_rate_alone() -> None:
    small = row(64, requests=640, tokens=64_000, seconds=60)
    large = row(4_000, requests=60_000, tokens=6_000_000, seconds=60)
    found = size_of([small, large])
    assert found == Size(4_000, 100_000, 1_000)
    assert size_of([row(50_000, requests=60, tokens=600, seconds=60, rate=60.0)]) == Size(0, 10, 1)
    assert size_of([]) is None

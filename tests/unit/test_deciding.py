"""Before the run: how many requests an objective takes, and which cells of a plan will not bring them."""

from __future__ import annotations

import dataclasses

import pytest

from fmbench.config.schema import Config
from fmbench.core.deciding import expected_of, fewest_to_decide, needs_of
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
    (need,) = needs_of([Objective("ttft_p95_s", 1.0)], expected_of(rows, 10.0))
    assert [one.row.cell.concurrency for one in need.short] == [1]
    config = Config.model_validate(
        {"models": [{"id": "amazon.nova-lite-v1:0"}], "load": {"warmup_s": 10.0}, "objectives": {"ttft_p95_s": 1.0}}
    )
    estimate = Estimate(rows=rows, requests=200, input_tokens=0, output_tokens=0, seconds=80.0, usd=None, unpriced=[])
    lines = [line for line in decidable(config, estimate) if line.startswith("ttft_p95_s")]
    assert len(lines) == 1 and "72 measured requests" in lines[0]
    assert "1 of 2 cells are not" in lines[0] and "lite en_1-500 at 1 user)" in lines[0] and "load.min_requests: 72" in lines[0]


def lines_of(rows: list[CellEstimate], **config: object) -> list[str]:
    checked = Config.model_validate({"models": [{"id": "amazon.nova-lite-v1:0", "label": "lite"}], **config})
    estimate = Estimate(rows=rows, requests=0, input_tokens=0, output_tokens=0, seconds=0.0, usd=None, unpriced=[])
    return list(decidable(checked, estimate))


def test_repeats_are_judged_as_one_cell() -> None:
    """Three times 30 requests are 90, and 72 are needed."""
    rows = [row(number, 1, 30) for number in range(3)]
    (line,) = lines_of(rows, load={"warmup_s": 0.0, "repeats": 3}, objectives={"ttft_p95_s": 1.0})
    assert "every cell" in line
    (line,) = lines_of(rows[:2], load={"warmup_s": 0.0, "repeats": 2}, objectives={"ttft_p95_s": 1.0})
    assert "no cell is" in line and "load.min_requests: 36" in line, "each of the two"


def test_the_cure_has_the_time_that_the_slowest_cell_takes() -> None:
    """10 requests in 40 s: 72 take 288 s, within the cap of 300 s; 299 take 1,196 s, and a tenth more is 1,316."""
    load, objectives = {"warmup_s": 0.0}, {"ttft_p95_s": 1.0, "error_rate": 0.01}
    latency, errors = lines_of([row(0, 1, 10)], load=load, objectives=objectives)
    assert latency.endswith("set load.min_requests: 72.")
    assert errors.endswith("set load.min_requests: 299 and load.max_duration_s: 1400.")


def test_a_rate_of_less_than_a_request_a_window_is_told_how_long_it_takes() -> None:
    """5 requests (0.5^5 < 5 %) at half a request a minute are 600 s."""
    one = dataclasses.replace(row(0, 1, 0), cell=row(0, 1, 0).cell._replace(rate_per_min=0.5), seconds=5.0)
    (line,) = lines_of([one], load={"duration_s": 5.0}, objectives={"error_rate": 0.5})
    assert "load.min_requests: 5 and load.max_duration_s: 660" in line


def test_a_window_that_goes_on_until_it_is_decided_brings_what_its_cap_lets_it() -> None:
    """10 requests in 40 s are 75 in the cap of 300 s; "met" takes 84 blocks of 5 s, which are 420 s."""
    load = {"warmup_s": 0.0, "until": "decided"}
    (line,) = lines_of([row(0, 1, 10)], load=load, objectives={"ttft_p95_s": 1.0})
    assert "every cell is expected" in line and "84 blocks of 5 s (7 min 00 s)" in line and "cap of 5 min 00 s" in line
    (line,) = lines_of([row(0, 1, 4)], load=load, objectives={"ttft_p95_s": 1.0})
    assert "set load.max_duration_s: 800" in line and "until: decided" not in line


def test_what_has_no_number_is_said_too() -> None:
    (line,) = lines_of([row(0, 1, 10)], objectives={"usd_per_10k": 5.0})
    assert "no number is known before" in line


def test_a_search_says_what_a_level_takes_and_which_levels_cannot_be_shown() -> None:
    """79 blocks of 5 s are 395 s; 4,000 requests in 395 s are 10.1 a second: 20 users whose answers take 2 s, and no more."""
    load = {"search": {"of": "users", "to": 100.0}}
    one = dataclasses.replace(row(0, 1, 10), answer_s=2.0, up_to=100.0)
    (line,) = lines_of([one], load=load, objectives={"ttft_p95_s": 1.0})
    assert "79 blocks of 5 s (6 min 35 s)" in line and "above about 20 users" in line
    assert "set it to 19,750" in line, "395 s of 50 a second"
    rates = {"search": {"of": "rate", "to": 600.0}}
    (line,) = lines_of([one], load=rates, objectives={"ttft_p95_s": 1.0})
    assert "every level may have them" in line, "395 s of 10 a second"

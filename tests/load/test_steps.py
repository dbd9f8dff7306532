"""Exactly c users are in a step, none of their requests is cut off, and three counts of them agree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.load.studies import MODELS, QUICK, cells, entries, identity, load_json, locust_counts, name_of, prepare, run
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]

pytestmark = pytest.mark.slow

NOISE_S = 0.25
"""How late a busy machine may be."""
Simulators = Callable[[dict[str, Any]], Endpoint]


def most_at_once(rows: list[dict[str, Any]]) -> int:
    """The most requests that the endpoint saw at a time."""
    moments = sorted([(row["received_ns"], 1) for row in rows] + [(row["ended_ns"], -1) for row in rows])
    level = most = 0
    for _, change in moments:
        level += change
        most = max(most, level)
    return most


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_steps_up_and_down_are_exact_and_three_counts_agree(tmp_path: Path, simulator: Simulators, processes: int) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url)
    assert run(folder, processes=processes) == "done"

    ledger = endpoint.ledger()
    records = entries(folder, "record")
    assert sorted(map(identity, records)) == sorted(map(identity, entries(folder, "intent")))
    assert len(set(map(identity, records))) == len(records) == len(ledger)
    assert {row["request_id"] for row in records} == {row["request_id"] for row in ledger}
    assert locust_counts(folder) == (Counter(map(name_of, records)), Counter())
    assert not any(row["client_gone"] for row in ledger)
    assert all(row["completed"] for row in ledger)

    by_request = {row["request_id"]: row for row in ledger}
    for cell in cells(folder):
        mine = [row for row in records if row["cell"] == cell["cell"]]
        assert cell["status"] == "complete"
        assert most_at_once([by_request[row["request_id"]] for row in mine]) == cell["concurrency"]
        assert {row["user"] for row in mine} == set(range(cell["concurrency"]))
        assert sum(worker["sent"] for worker in cell["workers"].values()) == len(mine)
        assert all(cell["started_at"] < row["sent_at"] and row["ended_at"] < cell["ended_at"] + 0.05 for row in mine)
    assert [(cell["model"], cell["concurrency"]) for cell in cells(folder)] == [
        (m["label"], c) for m in MODELS for c in (1, 4, 2)
    ]
    told = load_json(folder)["workers"]
    assert len(told) == processes
    assert sum(worker["sent"] for worker in told) == sum(worker["ok"] for worker in told) == len(ledger)


def test_a_request_belongs_to_the_phase_in_which_its_bytes_went_out(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url)
    run(folder)
    windows = {cell["cell"]: cell for cell in cells(folder)}
    received = {row["request_id"]: row["received_at"] for row in endpoint.ledger()}
    phases: Counter[str] = Counter()
    for row in entries(folder, "record"):
        window, at = windows[row["cell"]], received[row["request_id"]]
        phases[row["phase"]] += 1
        if row["phase"] == "warmup":
            assert at < window["measure_at"] + NOISE_S
        elif row["phase"] == "measure":
            assert window["measure_at"] - NOISE_S < at < window["drain_at"] + NOISE_S
    assert phases["warmup"] > 0 and phases["measure"] > phases["drain"]


def prompts_by_slot(folder: Path) -> dict[tuple[str, int, int], list[str]]:
    """Model, level and slot → the prompts that it sent, in order."""
    found: dict[tuple[str, int, int], list[str]] = {}
    for row in sorted(entries(folder, "intent"), key=lambda row: row["intended_at"]):
        found.setdefault((row["model"], row["concurrency"], row["user"]), []).append(row["prompt_id"])
    return found


def test_each_slot_sends_the_same_prompts_for_every_model_and_number_of_processes(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    one = prepare(tmp_path / "one", endpoint.url)
    two = prepare(tmp_path / "two", endpoint.url, models=MODELS[:1])
    run(one)
    run(two, processes=2)
    alone, shared = prompts_by_slot(one), prompts_by_slot(two)
    for (_, level, slot), sent in shared.items():
        for model in ("lite", "pro"):
            other = alone[model, level, slot]
            both = min(len(sent), len(other))
            assert both > 3
            assert sent[:both] == other[:both]


def test_no_two_requests_carry_the_same_words(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    run(prepare(tmp_path / "a", endpoint.url, load={"concurrency": [3]}))
    run(prepare(tmp_path / "b", endpoint.url, load={"concurrency": [3]}))
    digests = [row["prompt_sha256"] for row in endpoint.ledger()]
    assert len(set(digests)) == len(digests) > 20


def test_with_the_cache_allowed_the_prompts_are_sent_as_they_are(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    run(prepare(tmp_path / "a", endpoint.url, load={"concurrency": [3]}, cache="allow"))
    assert len({row["prompt_sha256"] for row in endpoint.ledger()}) == 7


def test_a_window_is_extended_until_enough_requests_are_over(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    load = {"concurrency": [1], "duration_s": 0.2, "min_requests": 12, "max_duration_s": 30}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    run(folder)
    assert sum(row["phase"] == "measure" for row in entries(folder, "record")) >= 12
    assert cells(folder)[0]["drain_at"] - cells(folder)[0]["measure_at"] > 0.5  # an answer takes 0.07 s


def test_the_cap_ends_a_window_that_will_not_have_enough(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    load = {"concurrency": [1], "duration_s": 0.3, "min_requests": 100_000, "max_duration_s": 1.0}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    assert run(folder) == "done"
    (cell,) = cells(folder)
    assert cell["status"] == "complete"
    assert 1.0 <= cell["drain_at"] - cell["measure_at"] < 3.0


def test_without_warm_up_everything_is_measured(tmp_path: Path, simulator: Simulators) -> None:
    folder = prepare(tmp_path / "run", simulator(QUICK).url, models=MODELS[:1], load={"concurrency": [2], "warmup_s": 0})
    run(folder)
    assert {row["phase"] for row in entries(folder, "record")} <= {"measure", "drain"}


def test_starts_are_spread_over_the_time_asked_for(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator({"profile": {"ttft_s": 2.0}})
    load = {"concurrency": [8], "warmup_s": 1.0, "spread_s": 0.8, "duration_s": 0.2}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    run(folder)
    firsts = sorted(row["received_ns"] / 1e9 for row in endpoint.ledger())[:8]
    gaps = [later - earlier for earlier, later in pairwise(firsts)]
    assert sum(gaps) == pytest.approx(0.7, abs=NOISE_S)
    assert max(gaps) < 0.1 + NOISE_S


def test_a_resumed_run_does_only_what_is_left(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url)
    run(folder)
    lines = (folder / "cells.jsonl").read_text().splitlines(keepends=True)
    (folder / "cells.jsonl").write_text("".join(lines[:4]) + lines[4].replace("complete", "stopped") + '{"cell": 5, "att')
    endpoint.reset()
    assert run(folder) == "done"
    again = [row for row in entries(folder, "record") if row["worker"] == "local-2"]
    assert {row["cell"] for row in again} == {4, 5}
    assert len(again) == len(endpoint.ledger())
    assert [(cell["cell"], cell["attempt"]) for cell in cells(folder)][-2:] == [(4, 2), (5, 1)]


def test_answers_are_kept_for_quality_alone(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    with_them = prepare(tmp_path / "with", endpoint.url, models=MODELS[:1], load={"concurrency": [2]}, quality=True)
    without = prepare(tmp_path / "without", endpoint.url, models=MODELS[:1], load={"concurrency": [2]})
    run(with_them)
    run(without)
    assert not (without / "answers").exists()
    kept = (with_them / "answers" / "local.jsonl").read_text().splitlines()
    assert len(kept) == len(entries(with_them, "record"))


def test_health_says_each_second_how_the_instrument_was(tmp_path: Path, simulator: Simulators) -> None:
    folder = prepare(tmp_path / "run", simulator(QUICK).url, models=MODELS[:1], load={"concurrency": [4], "duration_s": 2.5})
    run(folder)
    lines = [json.loads(line) for line in (folder / "health" / "local.jsonl").read_text().splitlines()]
    ticked = [line for line in lines if line["lag_p50_s"] is not None]
    assert len(ticked) >= 2
    assert sum(line["new_connections"] for line in lines) >= 4
    assert all(0 <= line["lag_p50_s"] <= line["lag_p99_s"] <= line["lag_max_s"] for line in ticked)
    assert max(line["cpu"] for line in lines) > 0
    assert max(line["in_flight"] for line in lines) <= 4
    assert all(later["at"] - line["at"] == pytest.approx(later["for_s"], abs=0.01) for line, later in pairwise(lines))


def test_making_a_cell_ready_has_a_line_of_its_own(tmp_path: Path, simulator: Simulators) -> None:
    folder = prepare(tmp_path / "run", simulator(QUICK).url, models=MODELS[:1], load={"concurrency": [1, 2], "warmup_s": 0})
    run(folder)
    ends = [json.loads(line)["at"] for line in (folder / "health" / "local.jsonl").read_text().splitlines()]
    sent = [(row["cell"], row["sent_at"]) for row in entries(folder, "record")]
    for cell in cells(folder):
        first = min(at for number, at in sent if number == cell["cell"])
        assert any(cell["measure_at"] - 0.01 <= end <= first for end in ends)

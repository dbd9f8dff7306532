"""``load.search`` and ``load.stop_when_failing`` on real processes: the simulator's capacity is the truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fmbench.config.load import resolved, stored_config
from fmbench.core.search import Search
from fmbench.core.searches import replayed, search_rows, spec_of, visit_row
from fmbench.core.sequential import Evidence
from fmbench.core.summary import summarise
from tests.load.studies import MODELS, cells, entries, prepare, run
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]

Simulators = Callable[[dict[str, Any]], Endpoint]
QUEUE = {"profile": {"ttft_s": 0.1, "tpot_s": 0.0, "output_tokens": 1, "slots": 4}}
"""Four at a time, 0.1 s each: with N users an answer takes N / 40 s."""
OBJECTIVES = {"e2e_p50_s": 0.3125, "error_rate": 0.5}
"""Kept by 12 users and fewer."""
LOAD = {"concurrency": [1, 2, 4, 8], "warmup_s": 0.5, "duration_s": 1.2, "max_duration_s": 8.0}


def summary_of(folder: Path) -> dict[str, Any]:
    config = stored_config((folder / "config.yml").read_text(), "config.yml")
    manifest = {"run_id": "r", "config": resolved(config), "cells": cells(folder)}
    return summarise(pd.DataFrame(entries(folder, "record")), manifest, pd.DataFrame())


@pytest.mark.slow
def test_a_search_finds_the_limit_of_each_model_and_says_what_it_cost(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator({**QUEUE, "models": {MODELS[1]["id"]: {"slots": 1}}})
    load = LOAD | {"search": {"of": "users", "from": 1.0, "to": 64.0}}
    folder = prepare(tmp_path / "run", endpoint.url, load=load, objectives=OBJECTIVES)
    assert run(folder) == "done"
    lines = cells(folder)
    assert {line["status"] for line in lines} == {"complete"} and len({line["cell"] for line in lines}) == len(lines)
    assert [line["model"] for line in lines[:4]] == ["lite", "pro", "lite", "pro"], "models take turns"
    first, second = summary_of(folder)["search"]
    assert (first["model"], second["model"], first["of"], first["finished"]) == ("lite", "pro", "users", True)
    assert 9 <= first["limit"] <= 13, first
    assert 2 <= second["limit"] <= 4, second
    low, high = first["ci95"]
    assert low <= first["limit"] and (high is None or high > low)
    assert first["requests"] == sum(step["requests"] for step in first["steps"]) < first["grid_requests"]
    assert {step["level"] for step in first["steps"]} == {line["concurrency"] for line in lines if line["model"] == "lite"}


@pytest.mark.slow
def test_levels_above_the_first_that_fails_are_left_out_with_the_reason(tmp_path: Path, simulator: Simulators) -> None:
    load = LOAD | {"concurrency": [4, 32, 48], "stop_when_failing": True, "duration_s": 3.0}
    objectives = {"e2e_p95_s": 0.4, "error_rate": 0.5}
    folder = prepare(tmp_path / "run", simulator(QUEUE).url, models=MODELS[:1], load=load, objectives=objectives)
    assert run(folder) == "done"
    became = [(line["concurrency"], line["status"]) for line in cells(folder)]
    assert became == [(4, "complete"), (32, "complete"), (48, "skipped")]
    assert "32 users are shown not to meet the objectives" in cells(folder)[2]["reason"]
    lines, sent = (folder / "cells.jsonl").read_text().splitlines(keepends=True), len(entries(folder, "intent"))
    (folder / "cells.jsonl").write_text("".join(lines[:2]))  # as if the run had been cut there
    assert run(folder) == "done"
    assert [line["status"] for line in cells(folder)] == ["complete", "complete", "skipped"]
    assert len(entries(folder, "intent")) == sent, "a resumed run does not climb past it"


@pytest.mark.slow
def test_a_search_by_latency_alone_does_not_climb_past_a_quota(tmp_path: Path, simulator: Simulators) -> None:
    """Ten a second are let through: at 1,200 a minute every other one fails, at the highest level three of four."""
    profile = {"ttft_s": 0.02, "tpot_s": 0.0, "output_tokens": 1, "quota": {"requests_per_minute": 10, "minute_s": 1.0}}
    search = {"of": "rate", "from": 150.0, "to": 2400.0, "most_requests": 200, "tolerance": 0.5}
    load = {"concurrency": [1, 2, 4, 8], "warmup_s": 0.5, "duration_s": 1.2, "max_duration_s": 4.0, "arrivals": "constant"}
    folder = prepare(
        tmp_path / "run",
        simulator({"profile": profile}).url,
        models=MODELS[:1],
        load=load | {"search": search},
        objectives={"e2e_p50_s": 5.0},
    )
    assert run(folder) == "done"
    (found,) = summary_of(folder)["search"]
    assert found["finished"] and 300 <= found["limit"] <= 1.5 * 600
    assert found["ci95"][1] is not None and found["ci95"][1] <= 2400


@pytest.mark.slow
def test_a_rate_that_cannot_be_started_is_no_level_that_meets(tmp_path: Path, simulator: Simulators) -> None:
    """One in flight, 0.2 s an answer: 300 a minute can be started, and each of them is answered within the limit."""
    search = {"of": "rate", "from": 100.0, "to": 1600.0, "most_requests": 200, "tolerance": 0.5}
    load = {"concurrency": [1, 2, 4, 8], "warmup_s": 0.5, "duration_s": 1.2, "max_duration_s": 5.0, "arrivals": "constant"}
    folder = prepare(
        tmp_path / "run",
        simulator({"profile": {"ttft_s": 0.2, "tpot_s": 0.0, "output_tokens": 1}}).url,
        models=MODELS[:1],
        load=load | {"search": search, "max_in_flight": 1},
        objectives={"e2e_p50_s": 5.0, "error_rate": 0.5},
    )
    assert run(folder) == "done"
    (found,) = summary_of(folder)["search"]
    assert found["finished"] and 140 <= found["limit"] <= 400, found
    assert found["ci95"][1] <= 800


def test_a_search_is_gone_through_again_from_its_lines() -> None:
    """As a report and a resumed run do: the next step is the one that would have come."""
    asked = {"of": "users", "start": 1, "end": 64, "tolerance": 0.1, "confidence": 0.95, "most_requests": 400}
    search, lines = Search(spec_of(asked)), []
    for _ in range(5):
        level = search.next()
        evidence = Evidence(9.0, -9.0, 50.0) if level.level <= 12 else Evidence(-9.0, 9.0, -50.0)  # type: ignore[union-attr]
        search.observe(level.level, 100, evidence)  # type: ignore[union-attr]
        place = {"model": "m", "bucket": "b", "concurrency": int(level.level), "rate_per_min": None}  # type: ignore[union-attr]
        lines.append({**place, "status": "complete", "search": visit_row(100, evidence), "workers": {"w0": {"sent": 110}}})
    void = {**lines[0], "status": "invalid"}
    again = replayed(asked, json.loads(json.dumps([void, *lines])))
    assert again.next() == search.next()
    (row,) = search_rows({"search": asked}, lines)
    assert (row["finished"], row["limit"], row["requests"], len(row["steps"])) == (False, None, 500, 5)
    assert row["sent"] == 550
    assert search_rows({}, lines) == []

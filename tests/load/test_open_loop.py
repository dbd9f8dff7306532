"""An open loop on real processes: requests begin by the plan whatever the answers do, and what cannot begin is in the account."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fmbench.config.load import resolved, stored_config
from fmbench.core.levels import plan_of_arrivals
from fmbench.core.plan import Plan
from fmbench.core.summary import summarise
from fmbench.run.unstarted import write_unstarted
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import seal
from tests.load.studies import MODELS, QUICK, Load, cells, children_of, entries, identity, load_json, prepare, run, wait_for
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]

pytestmark = pytest.mark.slow

Simulators = Callable[[dict[str, Any]], Endpoint]
RATE = {"concurrency": [1, 2, 4, 8], "rate_per_min": [900.0], "warmup_s": 1.0, "duration_s": 5.0}


def planned(folder: Path) -> list[float]:
    """The plan's moments up to the end of the window, as UTC epoch seconds, by the cell's own line."""
    (cell,) = Plan.from_json((folder / "plan.json").read_text()).cells
    (line,) = cells(folder)
    config = stored_config((folder / "config.yml").read_text(), "config.yml")
    opened = line["measure_at"] - config.load.warmup_s
    end = line["drain_at"] - opened
    return [opened + at for at in takewhile(lambda at: at < end, plan_of_arrivals(config, cell))]


@pytest.mark.timing
@pytest.mark.parametrize("processes", [1, 3])
def test_requests_begin_when_the_plan_says(tmp_path: Path, simulator: Simulators, processes: int) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=RATE)
    assert run(folder, processes=processes) == "done"
    records = sorted(entries(folder, "record"), key=lambda row: row["intended_at"])
    plan = planned(folder)
    assert len(records) == pytest.approx(len(plan), abs=2)
    meant = np.array([row["intended_at"] for row in records])
    shift = meant[: len(plan)] - np.array(plan[: len(meant)])
    assert np.ptp(shift) < 0.002, "moments are the plan's, moved by one constant: when the message to measure came"
    assert {row["outcome"] for row in records} == {"ok"} and {row["rate_per_min"] for row in records} == {900.0}
    received = {row["request_id"]: row["received_at"] for row in endpoint.ledger()}
    arrived = np.array([received[row["request_id"]] for row in records])
    assert np.median(arrived - meant) < 0.02
    assert stats.kstest(np.diff(arrived), "expon", args=(0, 60 / 900)).pvalue > 0.001
    assert len({row["worker"] for row in records}) == processes


def test_what_cannot_be_started_is_dropped_and_counted(tmp_path: Path, simulator: Simulators) -> None:
    """Answers of 1 s, at most three in flight, ten due a second: seven of ten are dropped."""
    endpoint = simulator({"profile": {"ttft_s": 1.0, "tpot_s": 0.0, "output_tokens": 1}})
    load = RATE | {"rate_per_min": [600.0], "arrivals": "constant", "max_in_flight": 3, "warmup_s": 0.0, "duration_s": 4.0}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    assert run(folder) == "done"
    records, sent = entries(folder, "record"), len(endpoint.ledger())
    dropped = [row for row in records if row["outcome"] == "dropped"]
    assert all(row["sent_at"] is None and row["failure"] is None and row["intended_at"] for row in dropped)
    assert len(records) - len(dropped) == sent == len(entries(folder, "intent"))
    (line,) = cells(folder)
    assert len(records) == pytest.approx(10 * (line["drain_at"] - line["measure_at"]), abs=2)
    assert len(dropped) / len(records) == pytest.approx(0.69, abs=0.06)
    assert len({identity(row) for row in records}) == len(records)
    (worker,) = load_json(folder)["workers"]
    assert (worker["sent"], worker["dropped"]) == (sent, len(dropped))
    config = stored_config((folder / "config.yml").read_text(), "config.yml")
    manifest = {"run_id": "r", "config": resolved(config), "cells": cells(folder)}
    summary = summarise(pd.DataFrame(records), manifest, pd.DataFrame())
    assert summary["cells"][0]["meets_objectives"] is None and summary["recommendation"] is None, "600 a minute were not sent"


def test_users_who_think_send_as_often_as_thought_and_answer_let_them(tmp_path: Path, simulator: Simulators) -> None:
    """Ten users, 0.1 s an answer and 0.4 s a thought: twenty requests a second."""
    endpoint = simulator({"profile": {"ttft_s": 0.1, "tpot_s": 0.0, "output_tokens": 1}})
    load = {"concurrency": [10], "think_time_s": 0.4, "warmup_s": 1.0, "duration_s": 3.0}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    assert run(folder) == "done"
    measured = [row for row in entries(folder, "record") if row["phase"] == "measure"]
    assert len(measured) == pytest.approx(60, abs=10)


def test_a_window_shorter_than_a_thought_has_its_share_of_requests(tmp_path: Path, simulator: Simulators) -> None:
    """N = X (R + Z): 90 users, 30 s a thought and 0.1 s an answer are 2.99 requests a second, 17.9 in 6 s."""
    endpoint = simulator({"profile": {"ttft_s": 0.1, "tpot_s": 0.0, "output_tokens": 1}})
    load = {"concurrency": [90], "think_time_s": 30.0, "warmup_s": 0.5, "duration_s": 6.0}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    assert run(folder) == "done"
    measured = [row for row in entries(folder, "record") if row["phase"] == "measure"]
    assert len(measured) == pytest.approx(17.9, abs=2)


def test_what_a_lost_load_process_would_have_sent_is_dropped_and_never_silence(tmp_path: Path, simulator: Simulators) -> None:
    """Every moment of the plan up to the void cell's end has a row, those of the seconds before the master knew included."""
    endpoint = simulator(QUICK)
    load = RATE | {"rate_per_min": [1200.0], "arrivals": "constant", "duration_s": 8.0}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    going = Load(folder, processes=3)
    wait_for(lambda: endpoint.counts()["requests"] >= 40)
    (master,) = children_of(going.process.pid)
    os.kill(children_of(master)[1], signal.SIGKILL)
    assert going.end() == "worker_lost"
    void, again = cells(folder)
    assert (void["status"], again["status"]) == ("invalid", "complete") and "unstarted" not in again
    before = len(entries(folder, "record"))
    write_unstarted(RunFolder(folder))
    write_unstarted(RunFolder(folder))
    records = {identity(row): row for kind in ("intent", "record") for row in entries(folder, kind)}
    span = void["unstarted"]["closed_at"] - void["unstarted"]["opened_at"]
    of_void = [row for row in records.values() if row["intended_at"] < void["unstarted"]["closed_at"]]
    assert len(of_void) == pytest.approx(20 * span, abs=2)
    dropped = [row for row in of_void if row["outcome"] == "dropped"]
    assert len(dropped) > 5 and {row["worker"] for row in dropped} == set(void["unstarted"]["slots"])
    assert len(entries(folder, "record")) == before + len(dropped), "and each once"
    assert seal(RunFolder(folder)).dropped == len(dropped)
    moments = sorted(row["intended_at"] for row in of_void)
    assert np.diff(moments) == pytest.approx(0.05, abs=0.01), "no moment twice, and none left out"

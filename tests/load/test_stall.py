"""An endpoint that stands still for two seconds: the wait is in the latencies from the planned moment, as worked out by hand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmbench.config.load import resolved, stored_config
from fmbench.core.summary import summarise
from tests.load.studies import MODELS, Load, cells, entries, prepare, wait_for
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]

pytestmark = [pytest.mark.slow, pytest.mark.timing]

Simulators = Callable[[dict[str, Any]], Endpoint]
ANSWER_S, STALL_S, WINDOW_S, RATE = 0.05, 2.0, 10.0, 3000.0
LOAD = {"concurrency": [1, 2, 4, 8], "rate_per_min": [RATE], "arrivals": "constant", "warmup_s": 0.0, "duration_s": WINDOW_S}


def stalled(endpoint: Endpoint) -> float:
    """Stop the endpoint's process for two seconds; how long it truly was."""
    began = time.monotonic()
    os.kill(endpoint.running.pid, signal.SIGSTOP)
    try:
        time.sleep(STALL_S)
    finally:
        os.kill(endpoint.running.pid, signal.SIGCONT)
    return time.monotonic() - began


def test_a_stall_of_the_endpoint_is_in_p99_as_worked_out_by_hand(tmp_path: Path, simulator: Simulators) -> None:
    """Requests are due every 20 ms. The one that is due as the stall begins waits all of it, and each later one 20 ms less: so
    one in a hundred of the window's requests waits longer than the stall less a hundredth of the window."""
    endpoint = simulator({"profile": {"ttft_s": ANSWER_S, "tpot_s": 0.0, "output_tokens": 1}})
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=LOAD | {"max_in_flight": 300})
    load = Load(folder)
    wait_for(lambda: endpoint.counts()["requests"] >= 100)
    stall_s = stalled(endpoint)
    assert load.end() == "done"
    config = stored_config((folder / "config.yml").read_text(), "config.yml")
    manifest = {"run_id": "r", "config": resolved(config), "cells": cells(folder)}
    records = pd.DataFrame(entries(folder, "record"))
    (cell,) = summarise(records, manifest, pd.DataFrame())["cells"]
    (line,) = cells(folder)
    window_s = line["drain_at"] - line["measure_at"]
    assert cell["open_loop"]["dropped"] == 0 and cell["failed"] == 0
    found, by_hand = cell["open_loop"]["from_intended"]["e2e_s"]["p99"], ANSWER_S + stall_s - 0.01 * window_s
    assert found == pytest.approx(by_hand, abs=0.15)
    answered = {row["request_id"]: row["ended_at"] for row in endpoint.ledger()}
    measured = records[records["phase"] == "measure"]
    waited = measured["request_id"].map(answered) - measured["intended_at"]
    assert found == pytest.approx(np.quantile(waited, 0.99), abs=0.03), "as the endpoint's own clock has it"
    late = records["ended_at"] - records["intended_at"]
    assert (late > stall_s / 2).sum() == pytest.approx(RATE / 60 * (stall_s / 2 + ANSWER_S), abs=8), "half of those that waited"


def test_what_cannot_begin_in_a_stall_is_dropped_and_never_silence(tmp_path: Path, simulator: Simulators) -> None:
    """With 20 in flight at most, a stall of 2 s takes the requests of 0.4 s; those due in the other 1.6 s are dropped."""
    endpoint = simulator({"profile": {"ttft_s": ANSWER_S, "tpot_s": 0.0, "output_tokens": 1}})
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=LOAD | {"max_in_flight": 20, "duration_s": 6.0})
    load = Load(folder)
    wait_for(lambda: endpoint.counts()["requests"] >= 100)
    stall_s = stalled(endpoint)
    assert load.end() == "done"
    records = entries(folder, "record")
    dropped = sum(row["outcome"] == "dropped" for row in records)
    assert dropped == pytest.approx(RATE / 60 * (stall_s + ANSWER_S) - 20, abs=6)
    assert len(records) == pytest.approx(RATE / 60 * 6.0, abs=6), "every moment of the plan has a row"

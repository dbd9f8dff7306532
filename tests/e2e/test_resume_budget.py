"""The budget stays hard over a crash: what a killed run had sent counts when it is resumed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.commands import Desk, load_processes, small_config, wait_until
from tests.support.simulator import Endpoint

pytestmark = pytest.mark.slow

MOST = 60


def test_requests_of_a_killed_session_count(desk: Desk, endpoint: Endpoint):
    load = {"concurrency": [2, 4], "warmup_s": 0, "duration_s": 6, "min_requests": 0}
    command = desk.start_run(small_config(load=load, budget={"max_requests": MOST}))
    wait_until(lambda: endpoint.counts()["requests"] >= MOST // 3)
    command.process.kill()
    command.ended()
    wait_until(lambda: endpoint.counts()["in_flight"] == 0)
    sent = endpoint.counts()["requests"]
    assert MOST // 3 <= sent < MOST, "the run was killed too late to show anything"

    run_id = next(desk.results.iterdir()).name
    again = desk.call("--config", str(desk.folder / "cfg.yml"), "--output", str(desk.results), "--resume", run_id)
    assert again.status in (4, 5), again.stderr
    assert again.manifest["ended"] == "budget"
    assert sent < endpoint.counts()["requests"] <= MOST
    assert len(again.records()) == endpoint.counts()["requests"]


PER_TOKEN = 100e-6
"""USD of a token in the test below."""


def test_dollars_of_a_worker_that_was_lost_count_when_the_run_is_resumed(desk: Desk, endpoint: Endpoint):
    """A cap of 3 USD, one of two workers killed in the middle, then --resume: the endpoint's bill stays under the cap."""
    cap = 3.0
    pricing = {model: {"input": PER_TOKEN * 1e6, "output": PER_TOKEN * 1e6} for model in small_config()["pricing"]}
    load = {"concurrency": [4, 6], "warmup_s": 0, "duration_s": 6, "min_requests": 0}
    study = small_config(load=load, budget={"max_usd": cap}, pricing=pricing)
    command = desk.start_run(study, "--processes", "2")
    wait_until(lambda: endpoint.counts()["requests"] >= 20)
    os.kill(load_processes(command.process.pid)[-1], signal.SIGKILL)
    ended = command.ended()
    assert ended.status in (4, 5), ended.stderr
    before = bill(endpoint)
    assert before > 0

    again = desk.call("--config", str(desk.folder / "cfg.yml"), "--output", str(desk.results), "--resume", ended.run.name)
    assert again.status in (4, 5), again.stderr
    assert bill(endpoint) <= cap
    lines = [json.loads(line) for line in (again.run / "cells.jsonl").read_text().splitlines()]
    assert sum(line["budget_usd"] for line in lines) <= cap + 1e-9
    assert sum(line["budget_usd"] for line in lines) >= bill(endpoint) - 1e-9, "the budget counts at least what was billed"
    assert not any(line.get("unheard") for line in lines), "the lost worker's journal says what it sent"
    assert any(line.get("read_after_all") for line in lines)


def test_a_dollar_of_64_users_on_four_workers_is_a_dollar(desk: Desk, endpoint_of: Callable[[dict[str, Any]], Endpoint]):
    """A cap of 1.00 USD, 64 users on four workers, one killed, one resume: the endpoint's own bill is the judge.

    What the lost worker was allowed and did not spend is spent after the resume: its journal survived."""
    endpoint = endpoint_of({"profile": {"ttft_s": 0.15, "tpot_s": 0.01, "jitter": 0.3}})
    cap, each = 1.0, 4e-6
    pricing = {model: {"input": each * 1e6, "output": each * 1e6} for model in small_config()["pricing"]}
    load = {"concurrency": [64], "warmup_s": 0, "duration_s": 60, "min_requests": 0}
    study = small_config(load=load, budget={"max_usd": cap}, pricing=pricing)
    command = desk.start_run(study, "--processes", "4")
    wait_until(lambda: endpoint.counts()["requests"] >= 150)
    os.kill(load_processes(command.process.pid)[-1], signal.SIGKILL)
    ended = command.ended()
    assert ended.status in (4, 5), ended.stderr
    before = bill(endpoint, each)

    again = desk.call("--config", str(desk.folder / "cfg.yml"), "--output", str(desk.results), "--resume", ended.run.name)
    assert again.status in (4, 5), again.stderr
    after = bill(endpoint, each)
    assert 0 < before <= after <= cap
    lines = [json.loads(line) for line in (again.run / "cells.jsonl").read_text().splitlines()]
    assert after - 1e-9 <= sum(line["budget_usd"] for line in lines) <= cap + 1e-9
    most = max(each * (1.5 * tokens + 100 + 12) for tokens in again.records().prompt_tokens)
    assert after > cap - 2 * 64 * most, "what may be sent is sent: no lease of a worker that is gone is lost"
    assert again.manifest["ended"] == "budget"


def bill(endpoint: Endpoint, each: float = PER_TOKEN) -> float:
    """What the endpoint would charge for all that it did; nothing for a request that was cut off before it was answered."""
    rows = endpoint.settled(1)
    return sum(each * ((row["input_tokens"] or 0) + (row["output_tokens"] or 0)) for row in rows)

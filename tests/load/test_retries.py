"""Retries on real processes: each attempt a record and a request at the endpoint, by our own rule and by boto3's."""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.load.studies import MODELS, Load, entries, identity, load_json, locust_counts, prepare, run, wait_for
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]

pytestmark = pytest.mark.slow

Simulators = Callable[[dict[str, Any]], Endpoint]
PROFILE = {"ttft_s": 0.02, "tpot_s": 0.001, "output_tokens": 4}
OWN = {"attempts": 3, "base_s": 0.02, "cap_s": 0.05, "on": ["throttled"]}


def throttling(rate: float, *further: dict[str, Any]) -> dict[str, Any]:
    return {"profile": PROFILE | {"faults": [{"kind": "throttle_requests", "rate": rate}, *further]}}


def requests_of(records: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The attempts of each request, by what the documentation says: one user's rows with one ``seq - attempt``."""
    found: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(records, key=lambda row: row["seq"]):
        found[row["worker"], row["user"], row["seq"] - row["attempt"]].append(row)
    return [*found.values()]


@pytest.mark.parametrize("processes", [1, 2])
def test_every_attempt_is_a_record_and_a_request_at_the_endpoint(tmp_path: Path, simulator: Simulators, processes: int) -> None:
    endpoint = simulator(throttling(0.4, {"kind": "internal", "rate": 0.05}))
    load = {"concurrency": [4], "warmup_s": 0.3, "duration_s": 1.5, "retry": OWN}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    assert run(folder, processes=processes) == "done"
    records, ledger = entries(folder, "record"), endpoint.ledger()
    assert len(records) == len(ledger) == len(entries(folder, "intent")) == sum(w["sent"] for w in load_json(folder)["workers"])
    assert {row["request_id"] for row in records} == {row["request_id"] for row in ledger}
    assert len({identity(row) for row in records}) == len(records)
    assert sum(locust_counts(folder)[0].values()) == len(records)
    of_request = {row["request_id"]: row for row in ledger}
    seen = set()
    for attempts in requests_of(records):
        assert [row["attempt"] for row in attempts] == [*range(1, len(attempts) + 1)] and len(attempts) <= 3
        assert all(row["failure"] == "throttled_requests" for row in attempts[:-1]), "nothing else is tried again"
        assert attempts[-1]["failure"] != "throttled_requests" or len(attempts) == 3
        assert len({of_request[row["request_id"]]["prompt_sha256"] for row in attempts}) == 1, "the same prompt"
        for earlier, later in pairwise(attempts):
            assert 0 <= later["backoff_s"] <= min(0.05, 0.02 * 2 ** (earlier["attempt"] - 1))
            assert later["intended_at"] == pytest.approx(earlier["ended_at"] + later["backoff_s"], abs=1e-6)
            assert later["sent_at"] >= later["intended_at"]
        seen.add(len(attempts))
    assert seen == {1, 2, 3}
    assert all(row["backoff_s"] is None for row in records if row["attempt"] == 1)


def test_a_budget_holds_for_attempts(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(throttling(0.7))
    load = {"concurrency": [4], "warmup_s": 0.0, "duration_s": 30.0, "retry": OWN}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load, budget={"max_requests": 60})
    assert run(folder) == "budget"
    assert len(endpoint.ledger()) == len(entries(folder, "record")) == 60


def test_a_window_that_ends_lets_requests_that_have_begun_be_tried_again(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(throttling(1.0))
    retry = {"attempts": 2, "base_s": 3.0, "cap_s": 3.0, "jitter": "none", "on": ["throttled"]}
    load = {"concurrency": [3], "warmup_s": 0.0, "duration_s": 0.5, "retry": retry}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    assert run(folder) == "done"
    found = requests_of(entries(folder, "record"))
    assert [[(row["attempt"], row["phase"]) for row in attempts] for attempts in found] == [[(1, "measure"), (2, "drain")]] * 3
    assert all(row["backoff_s"] == 3.0 for _, row in found)


def test_a_stop_ends_the_wait_for_a_further_attempt(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(throttling(1.0))
    retry = {"attempts": 5, "base_s": 600.0, "cap_s": 600.0, "jitter": "none", "on": ["throttled"]}
    load = {"concurrency": [3], "warmup_s": 0.0, "duration_s": 600.0, "retry": retry}
    going = Load(prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load))
    wait_for(lambda: len(endpoint.ledger()) == 3)
    going.signal(signal.SIGTERM)
    assert going.end(within_s=15) == "sigterm"
    assert len(entries(going.folder, "record")) == 3


def test_an_open_loop_tries_again_and_keeps_its_plan(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(throttling(0.3))
    load = {"concurrency": [1, 2, 4, 8], "rate_per_min": [1200.0], "arrivals": "constant", "warmup_s": 0.0, "duration_s": 3.0}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load | {"retry": OWN | {"attempts": 6}})
    assert run(folder) == "done"
    records = entries(folder, "record")
    assert len(records) == len(endpoint.ledger())
    firsts = sorted(row["intended_at"] for row in records if row["attempt"] == 1)
    assert all(gap == pytest.approx(0.05, abs=1e-6) for gap in (b - a for a, b in pairwise(firsts)))
    assert max(row["attempt"] for row in records) > 2


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_a_mode_of_boto3_makes_its_attempts(tmp_path: Path, simulator: Simulators, mode: str) -> None:
    endpoint = simulator(throttling(0.5))
    load = {"concurrency": [2], "warmup_s": 0.0, "duration_s": 2.0, "retry": {"mode": mode, "attempts": 2}}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    assert run(folder) == "done"
    records = entries(folder, "record")
    assert len(records) == len(endpoint.ledger())
    found = requests_of(records)
    assert {len(attempts) for attempts in found} == {1, 2}
    assert all(attempts[-1]["failure"] is None or len(attempts) == 2 for attempts in found)

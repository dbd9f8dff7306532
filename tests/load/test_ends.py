"""However a run ends, it says so, nothing that was sent is forgotten, and nothing is left running."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.load.studies import (
    MODELS,
    QUICK,
    Load,
    alive,
    cells,
    children_of,
    entries,
    identity,
    load_json,
    locust_counts,
    name_of,
    prepare,
    run,
    wait_for,
)
from tests.support.emulators import free_port
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]

pytestmark = [pytest.mark.slow, pytest.mark.long]

Simulators = Callable[[dict[str, Any]], Endpoint]
LONG = {"concurrency": [4], "duration_s": 60.0, "warmup_s": 0.2}
SLOW = {"profile": {"ttft_s": 0.3, "tpot_s": 0.02, "output_tokens": 10}}


@pytest.fixture
def start() -> Iterator[Callable[..., Load]]:
    """Starts loads that are gone when the test is."""
    begun: list[Load] = []

    def begin(folder: Path, **options: Any) -> Load:
        begun.append(Load(folder, **options))
        return begun[-1]

    yield begin
    for load in begun:
        load.kill()


def sent(endpoint: Endpoint, count: int) -> Callable[[], bool]:
    return lambda: endpoint.counts()["requests"] >= count


def processes_of(load: Load, workers: int) -> tuple[int, list[int]]:
    """Locust's first process, and the load processes that it forked."""
    first = wait_for(lambda: children_of(load.process.pid))[0]
    return first, wait_for(lambda: len(children_of(first)) == workers and children_of(first))


def assert_all_accounted_for(folder: Path, endpoint: Endpoint) -> list[dict[str, Any]]:
    """Every request that the endpoint saw has an intent and a record; Locust counted the same."""
    records = entries(folder, "record")
    assert sorted(map(identity, records)) == sorted(map(identity, entries(folder, "intent")))
    assert Counter(row["request_id"] for row in records if row["request_id"]) == Counter(
        row["request_id"] for row in endpoint.ledger()
    )
    assert locust_counts(folder)[0] == Counter(map(name_of, records))
    return records


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(("number", "word"), [(signal.SIGTERM, "sigterm"), (signal.SIGINT, "sigint")])
def test_a_signal_lets_every_request_end(
    tmp_path: Path, simulator: Simulators, start: Callable[..., Load], number: signal.Signals, word: str, processes: int
) -> None:
    endpoint = simulator(SLOW)
    folder = prepare(tmp_path / "run", endpoint.url, load=LONG)
    load = start(folder, processes=processes)
    wait_for(sent(endpoint, 10))
    load.signal(number)
    assert load.end(90) == word
    records = assert_all_accounted_for(folder, endpoint)
    assert {row["outcome"] for row in records} == {"ok"}
    assert not any(row["client_gone"] for row in endpoint.ledger())
    assert [(cell["cell"], cell["status"]) for cell in cells(folder)] == [(0, "stopped")]


def test_a_second_signal_does_not_wait(tmp_path: Path, simulator: Simulators, start: Callable[..., Load]) -> None:
    endpoint = simulator({"profile": {"ttft_s": 300.0}})
    folder = prepare(tmp_path / "run", endpoint.url, load=LONG)
    load = start(folder)
    wait_for(sent(endpoint, 4))
    load.signal(signal.SIGINT)
    time.sleep(1)
    assert load.process.poll() is None
    load.signal(signal.SIGINT)
    assert load.end(60) == "sigint"
    assert len(entries(folder, "intent")) == 4
    assert entries(folder, "record") == []
    assert load_json(folder)["workers"][0]["abandoned"] == 4


@pytest.mark.parametrize("processes", [1, 2])
def test_no_request_too_many_is_sent(tmp_path: Path, simulator: Simulators, processes: int) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url, load={"concurrency": [4]}, budget={"max_requests": 37})
    assert run(folder, processes=processes) == "budget"
    assert 30 <= endpoint.counts()["requests"] <= 37
    if processes == 1:
        assert endpoint.counts()["requests"] == 37
    assert_all_accounted_for(folder, endpoint)
    left = re.search(r"\((\d+) of 37 requests left\)", load_json(folder)["message"])
    assert left is not None
    assert int(left[1]) in (range(1) if processes == 1 else range(20)), "one of two had used its half of the budget"


def test_no_dollar_too_many_is_spent(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    pricing = {"lite": {"input": 1000.0, "output": 5000.0}, "pro": {"input": 1000.0, "output": 5000.0}}
    folder = prepare(tmp_path / "run", endpoint.url, load={"concurrency": [4]}, budget={"max_usd": 2.0}, pricing=pricing)
    assert run(folder) == "budget"
    spent = sum(row["input_tokens"] * 1e-3 + row["output_tokens"] * 5e-3 for row in endpoint.ledger())
    assert 1.4 < spent <= 2.0
    assert sum(row["usd"] for row in entries(folder, "record")) == pytest.approx(spent)


def test_requests_turned_away_cost_nothing_of_the_budget(tmp_path: Path, simulator: Simulators) -> None:
    faults = [{"kind": "throttle_requests", "rate": 1.0}]
    endpoint = simulator({"profile": {"faults": faults}})
    pricing = {"lite": {"input": 1000.0, "output": 5000.0}, "pro": {"input": 1000.0, "output": 5000.0}}
    folder = prepare(tmp_path / "run", endpoint.url, load={"concurrency": [4]}, budget={"max_usd": 1.0}, pricing=pricing)
    assert run(folder) == "done"
    assert len(endpoint.ledger()) > 5
    assert {row["failure"] for row in entries(folder, "record")} == {"throttled_requests"}
    assert {cell["budget_usd"] for cell in cells(folder)} == {0.0}


def test_an_endpoint_that_is_not_there_ends_the_run(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        folder = prepare(tmp_path / "run", f"http://127.0.0.1:{taken.getsockname()[1]}", load=LONG)
        assert run(folder) == "target_down"
    records = entries(folder, "record")
    assert {row["failure"] for row in records} == {"connect"}
    assert len(records) < 100, "an endpoint that is down is not hammered"
    assert records[0]["sent_at"] is None and records[0]["ttft_s"] is None


def test_an_endpoint_that_was_never_reached_in_a_short_run_is_down_too(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        folder = prepare(tmp_path / "run", f"http://127.0.0.1:{taken.getsockname()[1]}", load={"concurrency": [1]})
        assert run(folder) == "target_down"
    assert {row["failure"] for row in entries(folder, "record")} == {"connect"}
    assert [cell["status"] for cell in cells(folder)] == ["complete", "complete"]


def test_a_model_that_refuses_everything_is_left_out_and_the_other_measured(tmp_path: Path, simulator: Simulators) -> None:
    refusing = {"faults": [{"kind": "access_denied", "rate": 1.0}]}
    endpoint = simulator({**QUICK, "models": {MODELS[0]["id"]: refusing}})
    folder = prepare(tmp_path / "run", endpoint.url, load={"duration_s": 4.0})
    assert run(folder) == "done"
    status = [(cell["model"], cell["concurrency"], cell["status"]) for cell in cells(folder)]
    assert status == [("lite", 1, "skipped"), ("lite", 4, "skipped"), ("lite", 2, "skipped")] + [
        ("pro", level, "complete") for level in (1, 4, 2)
    ]
    assert "access_denied" in cells(folder)[1]["reason"]
    assert_all_accounted_for(folder, endpoint)


def test_when_every_model_refuses_there_is_nothing_to_measure(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator({"profile": {"faults": [{"kind": "access_denied", "rate": 1.0}]}})
    folder = prepare(tmp_path / "run", endpoint.url, load={"duration_s": 4.0})
    assert run(folder) == "target_down"
    assert "access_denied" in load_json(folder)["message"]
    assert len(endpoint.ledger()) < 40


def test_a_lost_worker_makes_the_cell_void_and_the_others_measure_it_again(
    tmp_path: Path, simulator: Simulators, start: Callable[..., Load]
) -> None:
    endpoint = simulator(SLOW)
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load={"concurrency": [4, 2], "duration_s": 6.0})
    load = start(folder, processes=3)
    _, workers = processes_of(load, 3)
    wait_for(sent(endpoint, 8))
    os.kill(workers[1], signal.SIGKILL)
    assert load.end() == "worker_lost"
    status = [(cell["cell"], cell["attempt"], cell["status"]) for cell in cells(folder)]
    assert status == [(0, 1, "invalid"), (0, 2, "complete"), (1, 1, "complete")]
    told = {worker["id"]: worker for worker in load_json(folder)["workers"]}
    assert [worker["lost"] for worker in told.values()].count(True) == 1
    intents, records = entries(folder, "intent"), entries(folder, "record")
    unfinished = {identity(row) for row in intents} - {identity(row) for row in records}
    assert len({row[1] for row in unfinished}) <= 1 and len(unfinished) <= 2
    assert len(intents) == len(endpoint.ledger())
    assert all(row["outcome"] == "ok" for row in records)


def test_workers_without_their_master_stop_by_themselves(
    tmp_path: Path, simulator: Simulators, start: Callable[..., Load]
) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url, load=LONG)
    load = start(folder, processes=2)
    first, workers = processes_of(load, 2)
    wait_for(sent(endpoint, 20))
    killed_at = time.time()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, workers)), 40)
    assert endpoint.ledger()[-1]["received_at"] < killed_at + 10
    records = entries(folder, "record")
    assert sorted(map(identity, records)) == sorted(map(identity, entries(folder, "intent")))
    assert len(records) == len(endpoint.ledger())
    assert load.end(60) == "worker_lost"


@pytest.mark.parametrize("processes", [1, 2])
def test_nothing_goes_on_when_the_program_that_started_it_is_killed(
    tmp_path: Path, simulator: Simulators, start: Callable[..., Load], processes: int
) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url, load=LONG)
    load = start(folder, processes=processes)
    first = wait_for(lambda: children_of(load.process.pid))[0]
    wait_for(sent(endpoint, 10))
    below = [first, *children_of(first)]
    os.kill(load.process.pid, signal.SIGKILL)
    load.process.wait()
    wait_for(lambda: not any(map(alive, below)), 40)
    assert_all_accounted_for(folder, endpoint)
    assert load_json(folder)["ended"] == "sigterm"


def test_a_process_that_is_killed_leaves_its_journal_and_a_word(
    tmp_path: Path, simulator: Simulators, start: Callable[..., Load]
) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url, load=LONG)
    load = start(folder)
    first = wait_for(lambda: children_of(load.process.pid))[0]
    wait_for(sent(endpoint, 20))
    os.kill(first, signal.SIGKILL)
    assert load.end(60) == "worker_lost"
    assert "SIGKILL" in load_json(folder)["message"]
    assert {row["request_id"] for row in entries(folder, "record")} <= {row["request_id"] for row in endpoint.ledger()}
    assert len(entries(folder, "intent")) in range(len(endpoint.ledger()), len(endpoint.ledger()) + 5)


def test_prompts_that_are_not_those_prepared_are_not_sent(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url)
    (payload,) = (folder / "prompts").iterdir()
    payload.write_bytes(payload.read_bytes().replace(b"number 3", b"number 8"))
    assert run(folder) == "error_limit", "nothing was measured: that is not done"
    assert endpoint.ledger() == []
    assert "SHA-256" in cells(folder)[0]["reason"]
    assert "SHA-256" in load_json(folder)["message"]


@pytest.mark.parametrize("processes", [1, 2])
def test_stop_on_the_web_page_ends_the_run_in_good_order(
    tmp_path: Path, simulator: Simulators, start: Callable[..., Load], processes: int
) -> None:
    endpoint = simulator(SLOW)
    folder = prepare(tmp_path / "run", endpoint.url, load=LONG)
    port = free_port()
    load = start(folder, processes=processes, web=True, web_port=port)
    wait_for(sent(endpoint, 10))
    page = f"http://127.0.0.1:{port}"
    with urlopen(f"{page}/", timeout=30) as answer:
        assert b"Locust" in answer.read()
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    with urlopen(Request(f"{page}/stop", method="POST", headers={"Cookie": cookie}), timeout=90) as answer:
        assert json.load(answer)["success"]
    assert load.end(90) == "sigint"
    assert load_json(folder)["message"] == "stopped by hand"
    records = assert_all_accounted_for(folder, endpoint)
    assert {row["outcome"] for row in records} == {"ok"}
    assert not any(row["client_gone"] for row in endpoint.ledger())
    assert [(cell["cell"], cell["status"]) for cell in cells(folder)] == [(0, "stopped")]


def test_a_full_disk_stops_the_load(tmp_path: Path, simulator: Simulators) -> None:
    endpoint = simulator(QUICK)
    folder = prepare(tmp_path / "run", endpoint.url, load=LONG)
    (folder / "journal").mkdir()
    (folder / "journal" / "local.jsonl").symlink_to("/dev/full")
    assert run(folder) == "error_limit"
    assert "No space left" in load_json(folder)["message"]
    assert endpoint.ledger() == []

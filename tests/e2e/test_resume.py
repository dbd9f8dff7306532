"""A cut run goes on: what was done stays, the rest is measured, nothing is sent or counted twice."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.commands import Desk, Ended, small_config, wait_until
from tests.support.simulator import Endpoint

pytestmark = pytest.mark.slow


def interrupted(desk: Desk, endpoint: Endpoint) -> Ended:
    """A run that was interrupted while it measured one of its later cells."""
    command = desk.start_run(small_config(load={"concurrency": [2, 4], "warmup_s": 0, "duration_s": 4, "min_requests": 0}))
    wait_until(lambda: len([1 for line in _cells(desk) if '"complete"' in line]) >= 1)
    wait_until(lambda: endpoint.counts()["in_flight"] > 0)
    command.process.send_signal(signal.SIGINT)
    return command.ended()


def _cells(desk: Desk) -> list[str]:
    files = list(desk.results.glob("*/cells.jsonl"))
    return files[0].read_text().splitlines() if files else []


def resumed(desk: Desk, run_id: str, *arguments: str) -> Ended:
    return desk.call("--config", str(desk.folder / "cfg.yml"), "--output", str(desk.results), "--resume", run_id, *arguments)


def test_an_interrupted_run_goes_on_where_it_was(desk: Desk, endpoint: Endpoint):
    first = interrupted(desk, endpoint)
    assert first.status == 130, first.stderr
    done = {cell["cell"] for cell in first.manifest["cells"] if cell["status"] == "complete"}
    assert 0 < len(done) < 4
    before = first.records()

    second = resumed(desk, first.run.name)
    assert second.status == 0, second.stderr
    assert second.run == first.run
    after = second.records()
    assert {cell["cell"] for cell in second.manifest["cells"] if cell["status"] == "complete"} == {0, 1, 2, 3}
    assert len(after) == len(endpoint.settled(1))
    assert not after.duplicated(["run_id", "worker", "user", "seq"]).any()
    new = after[~after.worker.isin(before.worker)]
    assert len(new) == len(after) - len(before) > 0
    assert not set(new.cell) & done, "a finished cell was measured again"
    summary = second.json("summary.json")
    assert summary["accounting"]["locust_differs"] == []
    assert len(summary["cells"]) == 4
    assert [worker["id"] for worker in second.manifest["workers"]] == ["local", "local-2"]
    assert second.manifest["status"] == "done"


def test_a_run_without_anything_left_is_only_reported(desk: Desk, endpoint: Endpoint):
    first = desk.run(small_config(load={"concurrency": [2], "warmup_s": 0, "duration_s": 0.5, "min_requests": 0}))
    sent = endpoint.counts()["requests"]
    second = resumed(desk, first.run.name)
    assert second.status == 0, second.stderr
    assert endpoint.counts()["requests"] == sent
    assert second.manifest["accounting"] == first.manifest["accounting"]


def test_another_configuration_is_another_run(desk: Desk, endpoint: Endpoint):
    first = interrupted(desk, endpoint)
    second = resumed(desk, first.run.name, "--seed", "99")
    assert second.status == 2
    assert "differs in seed" in second.stderr


def test_a_run_that_is_not_there(desk: Desk):
    desk.write(small_config())
    ended = resumed(desk, "20200101T000000Z-x-abcdef")
    assert ended.status == 2
    assert "--output" in ended.stderr

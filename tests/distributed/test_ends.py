"""Machines that go away, and ends by signal: what reached the store is reported, and what did not is said."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.distributed.machines import Machine, Machines, Stored, below
from tests.e2e.commands import wait_until
from tests.support.simulator import Endpoint

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.aws_emulator]

Study = Callable[..., dict[str, Any]]


def assert_accounted(run: Stored, endpoint: Endpoint) -> None:
    """Every request that the endpoint saw is in a row, or counted as lost."""
    records, ledger = run.records(), endpoint.settled(1)
    accounting = run.accounting
    assert accounting["sent"] == accounting["ok"] + accounting["failed"] + accounting["abandoned"] + accounting["lost"]
    assert len(records) == accounting["sent"] - accounting["lost"]
    assert set(records.request_id.dropna()) <= {row["request_id"] for row in ledger}
    assert "report.md" in run.files


def busy(
    machines: Machines, endpoint: Endpoint, study: dict[str, Any], workers: int, into: int = 20
) -> tuple[Machine, list[Machine]]:
    """A master and workers, ``into`` requests after the first cell was over."""
    master, others = machines.master(study, workers), machines.workers(workers)
    wait_until(lambda: [path for path in master.folder.glob("*/*/cells.jsonl") if path.read_text()], 200)
    before = endpoint.counts()["requests"]
    wait_until(lambda: endpoint.counts()["requests"] > before + into, 60)
    return master, others


def test_a_worker_is_switched_off(machines: Machines, endpoint: Endpoint, study: Study):
    master, workers = busy(machines, endpoint, study(concurrency=[3, 6], duration_s=5), 3, into=250)
    workers[0].kill()
    ended = master.ended()
    assert ended.status == 5, ended.stderr
    assert [worker.ended().status for worker in workers[1:]] == [0, 0]
    run = machines.stored()
    assert_accounted(run, endpoint)
    assert [row["status"] for row in run.cells()] == ["complete", "invalid", "complete"]
    records = run.records()
    assert set(records[records.concurrency == 3].worker) == {worker["id"] for worker in run.manifest["workers"]}
    (lost,) = [worker for worker in run.manifest["workers"] if worker["lost"]]
    stored = int((records.worker == lost["id"]).sum())
    assert run.accounting["lost"] == lost["sent"] - stored > 0, "what was only on that machine is gone, and counted"
    assert stored == run.cells()[0]["workers"][lost["id"]]["sent"], "what it stored before is there"
    assert run.accounting["lost"] <= len(endpoint.ledger()) - len(records)
    assert run.manifest["status"] == "incomplete"
    first_page = run.files["report.md"].decode()[:4000]
    assert "lost" in first_page


def test_a_worker_is_told_to_end(machines: Machines, endpoint: Endpoint, study: Study):
    master, workers = busy(machines, endpoint, study(concurrency=[3, 6], duration_s=5), 3)
    workers[0].process.send_signal(signal.SIGTERM)
    assert workers[0].ended().status == 143
    assert workers[0].left() == []
    ended = master.ended()
    assert ended.status == 5, ended.stderr
    run = machines.stored()
    assert_accounted(run, endpoint)
    assert run.accounting["lost"] == run.accounting["abandoned"] == 0
    assert len(run.records()) == len(endpoint.ledger())
    assert [row["status"] for row in run.cells()] == ["complete", "invalid", "complete"]
    assert "told to end" in run.cells()[1]["reason"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_worker_is_told_to_end_while_it_waits_for_its_master(machines: Machines, number: int, status: int):
    (worker,) = machines.workers(1)
    wait_until(lambda: below(worker.process.pid))
    worker.process.send_signal(number)
    assert worker.ended(60).status == status


def test_the_master_is_switched_off(machines: Machines, endpoint: Endpoint, study: Study):
    master, workers = busy(machines, endpoint, study(concurrency=[2, 4], duration_s=6), 2)
    master.kill()
    killed_at = time.monotonic()
    wait_until(lambda: quiet(endpoint), 30)
    assert time.monotonic() - killed_at < 20, "workers without a master went on"
    for worker in workers:
        assert worker.ended().status == 5
        assert worker.left() == []
    run = machines.stored()
    assert run.manifest["status"] == "running"
    assert run.journals()
    again = machines.call("report", f"{machines.output}/{run.run_id}")
    assert again.status == 0, again.stderr
    run = machines.stored()
    assert_accounted(run, endpoint)
    assert len(run.records()) == len(endpoint.ledger())
    assert run.accounting["abandoned"] == 0


def test_another_machine_goes_on_where_the_master_was_switched_off(machines: Machines, endpoint: Endpoint, study: Study):
    config = study(concurrency=[2, 4], duration_s=4)
    master, workers = busy(machines, endpoint, config, 2)
    master.kill()
    assert [machine.ended().status for machine in (master, *workers)] == [-signal.SIGKILL, 5, 5]
    again = machines.master(config, 2, "--resume", machines.stored().run_id)
    others = machines.workers(2)
    ended = again.ended()
    assert ended.status == 0, ended.stderr
    assert [worker.ended().status for worker in others] == [0, 0]
    run = machines.stored()
    assert_accounted(run, endpoint)
    assert len(run.records()) == len(endpoint.ledger())
    assert [row["status"] for row in run.cells()] == ["complete", "stopped", "complete"]
    assert run.records().worker.nunique() == 4
    assert run.journals() == []


def quiet(endpoint: Endpoint) -> bool:
    """Whether no request came for a second."""
    before = endpoint.counts()["requests"]
    time.sleep(1)
    return endpoint.counts()["requests"] == before


@pytest.mark.parametrize("everyone", [False, True])
def test_sigterm_to_the_master_or_to_all(machines: Machines, endpoint: Endpoint, study: Study, everyone: bool):
    master, workers = busy(machines, endpoint, study(concurrency=[2, 4], duration_s=6), 2)
    for machine in [master, *workers] if everyone else [master]:
        machine.process.send_signal(signal.SIGTERM)
    ended = master.ended()
    assert ended.status == 143, ended.stderr
    assert [worker.ended().status for worker in workers] == ([143, 143] if everyone else [0, 0])
    run = machines.stored()
    assert_accounted(run, endpoint)
    assert run.manifest["status"] == "interrupted"
    assert len(run.records()) == len(endpoint.ledger())
    assert (run.records().outcome == "ok").all(), "requests in flight were not let end"


def test_a_folder_that_workers_do_not_see_is_refused(machines: Machines, endpoint: Endpoint, study: Study):
    """The run folder is gone from where the master says that it is, as it is on another host."""
    output = machines.folder / "results"
    master = machines.master(study() | {"output": str(output)}, 1)
    assert master.process.stderr is not None
    assert any("waiting for workers: 0 of 1" in line for line in master.process.stderr), "it says so once it has read the plan"
    (plan,) = output.glob("*/plan.json")
    plan.unlink()
    (worker,) = machines.workers(1)
    ended, refused = master.ended(), worker.ended()
    assert (ended.status, refused.status) == (3, 3), ended.stderr + refused.stderr
    assert "s3://" in ended.stderr and "s3://" in refused.stderr
    assert endpoint.counts()["requests"] == 0
    assert list(output.iterdir()) == [], "a run in which nothing was sent stayed behind"

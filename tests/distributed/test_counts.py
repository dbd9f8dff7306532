"""Workers that share no disk: every request is in the endpoint's ledger, in the records and in Locust's count."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from tests.distributed.machines import Machines
from tests.support.simulator import Endpoint

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.aws_emulator]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_three_equal_counts(machines: Machines, endpoint: Endpoint, study: Callable[..., dict[str, Any]], workers: int):
    master, others = machines.master(study(), workers), machines.workers(workers)
    ended = master.ended()
    assert ended.status == 0, ended.stderr
    for worker in others:
        last = worker.ended()
        assert last.status == 0, last.stderr
        assert [line.split()[0] for line in last.stderr.splitlines()] == ["Looking", "Carrying"], last.stderr
        assert worker.left() == [], "a worker left files behind"
    run = machines.stored()
    assert ended.stdout.splitlines()[-1] == f"{machines.output}/{run.run_id}"

    records, ledger = run.records(), endpoint.settled(1)
    assert len(records) == len(ledger) == run.accounting["sent"] == run.accounting["ok"]
    assert {row["request_id"] for row in ledger} == set(records.request_id)
    names = records.model + "|" + records.bucket + "|" + records.concurrency.astype(str) + "|" + records.phase
    assert Counter(names) == run.locust()
    assert not records.duplicated(["run_id", "worker", "user", "seq"]).any()
    assert run.accounting["lost"] == run.accounting["abandoned"] == 0

    assert records.worker.nunique() == workers
    assert {row["status"] for row in run.cells()} == {"complete"}
    assert_users_at_each_level(records)
    assert run.journals() == [], "parts stay although all of their rows are stored"
    assert {"report.md", "summary.json", "config.yml", "plan.json"} <= run.files.keys()
    assert {name for name in run.files if name.startswith("health/")} == {f"health/{name}.jsonl" for name in set(records.worker)}


def test_a_machine_with_two_load_processes(machines: Machines, endpoint: Endpoint, study: Callable[..., dict[str, Any]]):
    master = machines.master(study(concurrency=[1, 5]), 2)
    (machine,) = machines.workers(1, "--processes", "2")
    assert (master.ended().status, machine.ended().status, machine.left()) == (0, 0, [])
    records = machines.stored().records()
    assert records.worker.nunique() == 2
    assert {row["request_id"] for row in endpoint.settled(1)} == set(records.request_id)


def assert_users_at_each_level(records: pd.DataFrame) -> None:
    """Exactly c users at level c, whatever the number of workers."""
    for level, rows in records.groupby("concurrency"):
        assert set(rows.user) == set(range(level))
        assert (rows.groupby("user").worker.nunique() == 1).all()


def test_what_was_stored_is_what_the_workers_say(machines: Machines, study: Callable[..., dict[str, Any]]):
    """Each part's digest and number of lines is in the manifest; prompts are the ones prepared."""
    master = machines.master(study(), 2)
    machines.workers(2)
    assert master.ended().status == 0
    run = machines.stored()
    records = run.records()
    for worker in run.manifest["workers"]:
        parts = [part for name, part in worker["parts"].items() if name.startswith("journal/")]
        assert len(parts) >= 2
        assert sum(part["lines"] for part in parts) == 2 * worker["sent"] == 2 * int((records.worker == worker["id"]).sum())
    plan = json.loads(run.files["plan.json"])
    for file in plan["prompts"]:
        assert hashlib.sha256(run.files[file["file"]]).hexdigest() == file["sha256"]

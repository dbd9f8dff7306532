"""Real containers on a private network: 96 users over three workers, and everything that can go away in the middle."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.deploy.containers import Run, Site, docker
from tests.distributed.machines import Stored

pytestmark = [pytest.mark.containers, pytest.mark.slow, pytest.mark.timeout(600)]

CUT_S = 20


@pytest.fixture(scope="module")
def site(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A simulator and an S3 server on a network of their own."""
    folder = tmp_path_factory.mktemp("config")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    made = Site(folder)
    try:
        made.open()
        yield made
    finally:
        made.remove()


def accounted(run: Run) -> Stored:
    """What is stored; what the endpoint saw is a row of it, or counted as lost."""
    stored, ledger = run.stored(), run.ledger()
    accounting, records = stored.accounting, stored.records()
    assert accounting["sent"] == accounting["ok"] + accounting["failed"] + accounting["abandoned"] + accounting["lost"]
    assert len(records) == accounting["sent"] - accounting["lost"]
    assert set(records.request_id.dropna()) <= {row["request_id"] for row in ledger}
    assert "report.md" in stored.files
    return stored


def test_96_users_over_three_workers_are_all_accounted_for(site: Site):
    run = Run(site, 3, concurrency=[10, 96], duration_s=4)
    statuses = [container.status() for container in (run.master, *run.workers)]
    stored, ledger = accounted(run), run.ledger()
    said = run.over()
    assert statuses == [0, 0, 0, 0], said
    records = stored.records()
    assert len(records) == len(ledger) == stored.accounting["ok"]
    assert {row["request_id"] for row in ledger} == set(records.request_id)
    names = records.model + "|" + records.bucket + "|" + records.concurrency.astype(str) + "|" + records.phase
    assert Counter(names) == stored.locust()
    assert records[records.concurrency == 96].groupby("user").worker.nunique().to_dict() == dict.fromkeys(range(96), 1)
    assert {worker["host"] for worker in stored.manifest["workers"]} == {"worker1", "worker2", "worker3"}
    assert stored.journals() == []


def test_a_worker_is_killed(site: Site):
    run = Run(site, 3, concurrency=[6, 24], duration_s=6)
    run.second_cell_runs()
    run.workers[0].signal("KILL")
    statuses = [container.status() for container in (run.master, *run.workers)]
    stored = accounted(run)
    said = run.over()
    assert statuses == [5, 137, 0, 0], said
    assert [row["status"] for row in stored.cells()] == ["complete", "invalid", "complete"]
    assert stored.accounting["lost"] > 0
    assert stored.manifest["status"] == "incomplete"


def test_a_worker_is_cut_off_the_network_and_comes_back(site: Site):
    run = Run(site, 3, concurrency=[6, 24], duration_s=6)
    run.second_cell_runs()
    docker("network", "disconnect", site.name, run.workers[0].name)
    time.sleep(CUT_S)
    docker("network", "connect", site.name, run.workers[0].name)
    statuses = [container.status() for container in (run.master, *run.workers)]
    address = f"s3://fmbench/{run.prefix}/{run.stored().run_id}"
    again = site.start("report", "fmbench-load", "report", address)
    assert again.status() == 0, again.said()
    stored = accounted(run)
    said = run.over()
    assert statuses == [5, 5, 0, 0], said
    assert "invalid" in [row["status"] for row in stored.cells()]
    assert stored.cells()[-1]["status"] == "complete"
    assert stored.accounting["lost"] == 0, "what the worker stored late is not in the report"
    assert len(stored.records()) >= len(run.ledger())


def test_the_master_is_killed(site: Site):
    run = Run(site, 3, concurrency=[6, 24], duration_s=6)
    run.second_cell_runs()
    killed_at = time.monotonic()
    run.master.signal("KILL")
    assert [worker.status() for worker in run.workers] == [5, 5, 5], run.over()
    assert time.monotonic() - killed_at < 60
    again = site.start("report", "fmbench-load", "report", f"s3://fmbench/{run.prefix}/{run.stored().run_id}")
    assert again.status() == 0, again.said()
    stored = accounted(run)
    assert len(stored.records()) == len(run.ledger())
    assert stored.accounting["abandoned"] == 0
    run.over()


def test_sigterm_to_all(site: Site):
    run = Run(site, 3, concurrency=[6, 24], duration_s=6)
    run.second_cell_runs()
    for container in (run.master, *run.workers):
        container.signal("TERM")
    statuses = [container.status() for container in (run.master, *run.workers)]
    stored = accounted(run)
    said = run.over()
    assert statuses[1:] == [143, 143, 143], said
    assert statuses[0] == 143, said
    assert len(stored.records()) == len(run.ledger())
    assert (stored.records().outcome == "ok").all(), "requests in flight were not let end"

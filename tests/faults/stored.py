"""Faults of the store that a run goes to: refusals from the middle on, silence, objects that break off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pandas as pd

from tests.distributed.machines import Ended, Machine, Machines
from tests.e2e.commands import wait_until
from tests.faults.hostile import Ledger, hostile
from tests.faults.processes import slowly
from tests.faults.store import CUT, DRIP, RESET, SILENCE, FailingStore, Outage, failing_store
from tests.faults.trials import KEYS, Trial, config, fault, unaccounted

CELLS = {"concurrency": [2, 4, 6], "warmup_s": 0, "duration_s": 1.5, "min_requests": 0}
HASTY = "import fmbench.patience\nfmbench.patience.STILL_S = 5.0\n"
"""Patience with S3 of seconds, not minutes: a trial is to end. Put where Python looks for it at its start."""


@dataclass
class Scene:
    """A master, its workers and the S3 between them."""

    machines: Machines
    ledger: Ledger
    store: FailingStore

    def begin(self, workers: int, *arguments: str) -> tuple[Machine, list[Machine]]:
        """Start the run; the first cell is over when this returns, and what was written of it is stored."""
        master = self.machines.master(config(load=CELLS), workers, *arguments)
        started = self.machines.workers(workers)
        wait_until(lambda: self.parts("journal/") or master.process.poll() is not None, 200)
        return master, started

    def on(self, folder: Path, *arguments: str) -> Machine:
        """A further command of the same configuration on the machine whose temporary files are in ``folder``."""
        machine = Machine(
            folder, ["--config", str(self.machines.folder / "cfg.yml"), "--yes", *arguments], self.machines.variables
        )
        self.machines.all.append(machine)
        return machine

    def resumed(self, machine: Machine) -> Ended:
        """S3 is well again: the run goes on where its files stayed."""
        self.store.outage = lambda method, key: None
        return self.on(machine.folder, "--resume", self.address.rpartition("/")[2]).ended()

    def parts(self, kind: str) -> list[str]:
        return [name for name in self.store.below("bucket/") if f"/{kind}" in name]

    @property
    def address(self) -> str:
        names = {name.split("/")[1] for name in self.store.below("bucket/")}
        (run_id,) = names
        return f"{self.machines.output}/{run_id}"

    def trial(self, ended: Ended, *statuses: int) -> Trial:
        """The trial of the run as it is stored."""
        assert ended.status in statuses, ended.stderr
        assert "Traceback" not in ended.stderr, ended.stderr
        files = self.store.below(self.address.removeprefix("s3://") + "/")
        manifest = json.loads(files["manifest.json"])
        parts = [pd.read_parquet(BytesIO(data)) for name, data in files.items() if name.startswith("records/")]
        rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
        assert not rows.duplicated(["run_id", "worker", "user", "seq"]).any()
        counts = manifest["accounting"]
        assert counts["ok"] + counts["failed"] + counts["abandoned"] == len(rows)
        sent, surely = len(self.ledger), int(rows.sent_at.notna().sum())
        perhaps = int((rows.sent_at.isna() & (rows.outcome == "abandoned")).sum())
        return Trial(sent, unaccounted(sent, surely, perhaps, counts["lost"]), ended.status, counts["lost"])

    def reported(self) -> Ended:
        """S3 is well again: the report is asked for."""
        self.store.outage = lambda method, key: None
        ended = self.machines.call("report", self.address)
        assert ended.status == 0, ended.stderr
        return ended


@contextmanager
def scene(place: Path, patience: bool = True) -> Iterator[Scene]:
    """Nobody is left when it is over."""
    with hostile(slowly) as ledger, failing_store() as store:
        machines = Machines(place, store.url, ledger.url)
        machines.variables |= KEYS
        if not patience:
            (place / "sitecustomize.py").write_text(HASTY)
            machines.variables |= {"PYTHONPATH": str(place)}
        try:
            yield Scene(machines, ledger, store)
        finally:
            store.over.set()
            machines.end_all()


def always(word: str, *methods: str, only: Callable[[str], bool] = lambda key: True) -> Outage:
    return lambda method, key: word if method in methods and only(key) else None


def _journals(machine: Machine) -> list[Path]:
    return list(machine.folder.rglob("journal/*.jsonl"))


ALL = ("GET", "PUT", "POST", "HEAD", "DELETE")


@fault("S3 refuses everything from the middle of a run of two workers on, and a worker comes when it does not")
def refuses(place: Path) -> Trial:
    with scene(place) as found:
        master, workers = found.begin(2)
        found.store.outage = always("forbidden", *ALL)
        ended, theirs = master.ended(), [worker.ended() for worker in workers]
        assert ended.status == 5 and "AccessDenied" in ended.stderr and "s3:PutObject" in ended.stderr, ended.stderr
        assert "--resume" in ended.stderr, ended.stderr
        for worker, said in zip(workers, theirs, strict=True):
            assert said.status == 5 and "AccessDenied" in said.stderr, said.stderr
            assert _journals(worker), "what could not be stored is where it was written"
        found.store.outage = lambda method, key: None
        for worker in workers:
            again = found.on(worker.folder, "--worker", "--master-host", "127.0.0.1", "--master-port", found.machines.port)
            wait_until(lambda left=worker: not _journals(left), 60)
            again.kill()
        return found.trial(found.reported(), 0)


@fault("S3 says nothing any more from the middle of a run of two workers on")
def silent(place: Path) -> Trial:
    with scene(place, patience=False) as found:
        master, workers = found.begin(2)
        found.store.outage = always(SILENCE, *ALL)
        ended, theirs = master.ended(), [worker.ended() for worker in workers]
        assert ended.status == 5 and "no whole answer" in ended.stderr, ended.stderr
        assert [said.status for said in theirs] == [5, 5]
        return found.trial(found.resumed(master), 0, 5)


@fault("what S3 gives of the workers' journals breaks off, drips or is reset")
def broken_off(place: Path) -> Trial:
    words = (CUT, DRIP, RESET)

    def outage(method: str, key: str) -> str | None:
        if "/journal/" not in key or method not in ("GET", "PUT"):
            return None
        numbers[0] += 1
        word = words[numbers[0] % 5] if numbers[0] % 5 < 3 else None
        return None if (word == RESET) != (method == "PUT") else word

    numbers = [0]
    with scene(place, patience=False) as found:
        master, workers = found.begin(2)
        found.store.outage = outage
        ended = master.ended()
        for worker in workers:
            assert worker.ended().status in (0, 5)
        assert ended.status in (0, 5), ended.stderr
        first = found.trial(ended, 0, 5)
        assert first.unaccounted == 0 and (first.lost == 0) == (ended.status == 0)
        second = found.trial(found.reported(), 0)
        assert second.lost == 0, "what S3 has is found when it can be read"
        return second


@fault("S3 refuses everything from the middle of a run on, and the run is resumed when it does not")
def refused_and_resumed(place: Path) -> Trial:
    with scene(place) as found:
        found.machines.write(config(load=CELLS))
        alone = found.on(place / "alone")
        wait_until(lambda: len(found.ledger) > 20 or alone.process.poll() is not None, 100)
        found.store.outage = always("skewed", *ALL)
        ended = alone.ended()
        assert ended.status == 1 and "the clock of this machine is wrong" in ended.stderr, ended.stderr
        assert "When that is mended: fmbench-load report " in ended.stderr, ended.stderr
        return found.trial(found.resumed(alone), 0)

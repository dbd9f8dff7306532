"""Writes that fail: at each place where a run writes, with each error of a disk."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.commands import Desk, wait_until
from tests.faults.hostile import ANSWER, Asked, hostile
from tests.faults.processes import LONG, child_of, slowly
from tests.faults.trials import Trial, config, desk, fault, trial

PLACES = {
    "/manifest.json": 0,
    "/.manifest.json.": 0,
    "/.plan.json.": 0,
    "/.config.yml.": 0,
    "/prompts/": 0,
    "/journal/": 0,
    "/journal": 40,
    "/cells.jsonl": 0,
    "/health/": 0,
    "/locust/": 0,
    "/locust": 9,
    "/.load.json.": 0,
    "/records/": 0,
    "/.summary.": 0,
    "/.report.": 0,
    "/plots/": 0,
}
"""What a path has in it that cannot be written, after how many calls."""
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT)


def library(place: Path) -> str:
    """What makes writes fail, to be loaded before the C library."""
    if shutil.which("gcc") is None:
        pytest.skip("no C compiler here")
    built = place / "failing_writes.so"
    source = Path(__file__).with_name("failing_writes.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True)
    return str(built)


def steadily(asked: Asked) -> bytes:
    time.sleep(0.02)
    return ANSWER


def failing(place: Path, where: str, after: int, number: int) -> Trial:
    """A run whose writes to ``where`` fail: what was sent is accounted for then, or when the disk is well again."""
    drawn = f"{errno.errorcode[number]} at {where} after {after}"
    load = {"concurrency": [4, 6], "warmup_s": 0, "duration_s": 1, "min_requests": 0}
    with hostile(steadily) as ledger:
        at = desk(place, ledger)
        variables = {"LD_PRELOAD": library(place), "FAULT_PATH": where, "FAULT_AFTER": str(after), "FAULT_ERRNO": str(number)}
        ended = at.run(config(load=load), **variables)
        said = f"{drawn}: {ended}"
        assert "Traceback" not in ended.stderr and len(ended.stderr) > 20, said
        runs = list(at.results.iterdir()) if at.results.is_dir() else []
        if not len(ledger):
            assert ended.status in (3, 4) and os.strerror(number) in ended.stderr, said
            return Trial(0, 0, ended.status)
        (run,) = runs
        if ended.status == 0:
            assert (run / "report.html").exists(), said
            return trial(ended, len(ledger), run)
        assert str(run) in ended.stderr, said
        return _well_again(at, run, ended.status, len(ledger), said)


def _well_again(at: Desk, run: Path, status: int, sent: int, said: str) -> Trial:
    again = at.call("report", str(run))
    assert again.status == 0, f"{said}\n{again}"
    found = trial(again, sent, run)
    return Trial(found.sent, found.unaccounted, status, found.lost)


@fault("a place where a run writes that cannot be written, by chance")
def one_place(place: Path) -> Trial:
    where, after = random.choice(list(PLACES.items()))
    return failing(place, where, after, random.choice(ERRORS))


@fault("a load process is killed while no journal takes a line any more")
def killed_on_a_full_disk(place: Path) -> Trial:
    gate = place / "gate"
    fails = {"LD_PRELOAD": library(place), "FAULT_PATH": "/journal/", "FAULT_ERRNO": str(errno.ENOSPC), "FAULT_GATE": str(gate)}
    with hostile(slowly) as ledger:
        at = desk(place, ledger)
        command = at.start_run(config(load=LONG), "--processes", "2", **fails)
        wait_until(lambda: len(ledger) >= 60 or command.process.poll() is not None)
        processes = psutil.Process(child_of(command)).children()
        gate.touch()
        processes[0].kill()
        ended = command.ended(200)
        assert ended.status == 5 and "Traceback" not in ended.stderr, ended.stderr
        gate.unlink()
        return _well_again(at, next(at.results.iterdir()), ended.status, len(ledger), str(ended))

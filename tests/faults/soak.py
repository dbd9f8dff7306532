"""The soak: a long run over a master and three workers, and short runs that are stored on S3, while all around them fails.

What fails follows from a seed: processes are killed, told to end and stopped; the endpoint throttles, resets, drips its answers
byte by byte or never ends them; S3 says SlowDown, loses its answers to PUT or says 412. Judged are the account of every run
against what the endpoint saw, and the memory and descriptors of each process that lived through it.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.distributed.machines import Machine, Machines, below
from tests.e2e.commands import Desk, Ended
from tests.faults.growth import Growth, Watch
from tests.faults.nemesis import Nemesis
from tests.faults.store import FailingStore, failing_store
from tests.faults.trials import KEYS, config, trial
from tests.faults.weather import WEATHERS, endpoint

WORKERS, USERS = 3, 6
SAMPLE_S = 10.0
CELL_S = 10.0
TIMEOUTS = {"first_byte_s": 2, "between_bytes_s": 2, "total_s": 4}


@dataclass
class Soak:
    """What came of it."""

    seconds: float
    sent: int = 0
    unaccounted: int = 0
    lost: int = 0
    stored_runs: int = 0
    stored_sent: int = 0
    unaccounted_stored: int = 0
    resumed_runs: int = 0
    """Stored only by ``--resume``, since S3 did not take everything."""
    refused_runs: int = 0
    """Refused before their first request, since S3 did not answer."""
    traceback: bool = False
    broken: str = ""
    """Why the short runs ended before the time was over; empty: they did not."""
    answers: Counter[str] = field(default_factory=Counter)
    outages: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    growth: list[Growth] = field(default_factory=list)
    cells: Counter[str] = field(default_factory=Counter)


def study(seconds: float) -> dict[str, Any]:
    """Cells of ten seconds until the time is over."""
    load = {"concurrency": [USERS], "warmup_s": 0, "duration_s": CELL_S, "min_requests": 0, "timeouts": TIMEOUTS}
    return config(load=load | {"repeats": max(1, round(seconds / (CELL_S + 3)))})


def soak(folder: Path, seconds: float, seed: str, every_s: tuple[float, float] = (6, 18)) -> Soak:
    """Run it. The long run is ended by SIGINT when the time is over."""
    result, over = Soak(seconds), threading.Event()
    with endpoint(seed) as at, failing_store() as store:
        machines = _Machines(folder, store.url, at.url)
        nemesis = Nemesis(seed, result.done, machines, at, store)
        short = threading.Thread(target=_short_runs, args=(folder / "short", store, result, over, seed))
        master = machines.master(study(seconds) | {"output": str(folder / "results")}, WORKERS)
        nemesis.workers = machines.workers(WORKERS)
        said = _Said(master)
        short.start()
        try:
            watch = _weather_it(seconds, seed, every_s, master, nemesis)
            at.weather = {}
            master.process.send_signal(signal.SIGINT)
            ended = said.ended(300)
        finally:
            over.set()
            nemesis.release(everybody=True)
            for machine in machines.all:
                _switch_off(machine)
            store.calm = True
            short.join(300)
        _account(result, ended, at.seen)
        result.answers, result.outages = at.given, Counter(store.faults)
    result.growth = watch.growth()
    return result


def _switch_off(machine: Machine) -> None:
    """End it, whatever it does, and close its pipes."""
    machine.kill()
    machine.process.wait(30)
    for stream in (machine.process.stdout, machine.process.stderr):
        if stream is not None:
            stream.close()


def _weather_it(seconds: float, seed: str, every_s: tuple[float, float], master: Machine, nemesis: Nemesis) -> Watch:
    """Faults and samples until the time is over, or the run ended by itself."""
    watch, chance = Watch(), Random(f"{seed}:when")
    began = strike_at = sample_at = time.monotonic()
    strike_at += 30  # until all are there
    while time.monotonic() - began < seconds and master.process.poll() is None:
        now = time.monotonic()
        nemesis.release()
        if now > strike_at:
            nemesis.strike()
            strike_at = now + chance.uniform(*every_s)
        if now > sample_at:
            sample_at = now + SAMPLE_S
            watch.look("the master's program", [master.process.pid])
            watch.look("the master", below(master.process.pid)[:1])
            for number, machine in enumerate(nemesis.workers, start=1):
                watch.look(f"worker {number}'s program", [machine.process.pid])
                processes = below(machine.process.pid)
                watch.look(f"worker {number}", processes[:1])
                watch.look(f"worker {number}'s witness", processes[1:2])
        time.sleep(0.2)
    return watch


class _Said:
    """Reads what a machine says while it runs, so that its pipes never fill."""

    def __init__(self, machine: Machine) -> None:
        self._process, self._texts = machine.process, ["", ""]
        self._threads = [threading.Thread(target=self._read, args=(number,), daemon=True) for number in (0, 1)]
        for thread in self._threads:
            thread.start()

    def _read(self, number: int) -> None:
        stream = (self._process.stdout, self._process.stderr)[number]
        assert stream is not None
        for line in stream:
            self._texts[number] += line

    def ended(self, within_s: float) -> Ended:
        status = self._process.wait(within_s)
        for thread in self._threads:
            thread.join(10)
        return Ended(status, *self._texts)


def _account(result: Soak, ended: Ended, seen: int) -> None:
    found = trial(ended, seen)
    result.sent, result.unaccounted, result.lost = seen, found.unaccounted, found.lost
    result.statuses[ended.status] += 1
    result.cells = Counter(cell["status"] for cell in ended.manifest["cells"])
    result.traceback = "Traceback" in ended.stderr


def _short_runs(folder: Path, store: FailingStore, result: Soak, over: threading.Event, seed: str) -> None:
    """Short runs until the time is over; one that does not hold ends them, and is said."""
    try:
        _one_after_the_other(folder, store, result, over, seed)
    except Exception as error:
        result.broken = f"{type(error).__name__}: {error}"
        print(f"short run {result.stored_runs + 1}: {result.broken}", flush=True)


def _one_after_the_other(folder: Path, store: FailingStore, result: Soak, over: threading.Event, seed: str) -> None:
    """Runs of a second that are stored on S3, each against an endpoint of its own, one after the other with a pause."""
    folder.mkdir()
    number = 0
    while not over.wait(30 if number else 5):
        number += 1
        place = folder / str(number)
        place.mkdir()
        with endpoint(f"{seed}:{number}") as at:
            at.weather = WEATHERS[number % len(WEATHERS)]
            variables = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": at.url, "AWS_ENDPOINT_URL_S3": store.url, "TMPDIR": str(place)}
            desk = Desk(place, KEYS | variables)
            load = {"concurrency": [USERS], "warmup_s": 0, "duration_s": 1, "min_requests": 0, "timeouts": TIMEOUTS}
            arguments = ["--config", desk.write(config(load=load)), "--output", f"s3://bucket/{number}"]
            ended = desk.call(*arguments)
            result.statuses[ended.status] += 1
            if ended.status == 3:  # S3 said no before the first request
                result.unaccounted_stored += at.seen
                result.refused_runs += 1
                continue
            if not ended.address.startswith("s3://"):  # not stored: --resume brings it there
                store.calm = True
                again = desk.call(*arguments, "--resume", ended.run.name)
                store.calm = False
                result.resumed_runs += 1
                assert again.status in (0, ended.status) and again.address.startswith("s3://"), again.stderr
                ended = again
            _account_stored(result, ended, at.seen, place, store)


def _account_stored(result: Soak, ended: Ended, seen: int, place: Path, store: FailingStore) -> None:
    there = place / "there"
    for name, data in store.below(ended.address.removeprefix("s3://") + "/").items():
        path = there / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    found = trial(ended, seen, there)
    result.stored_runs += 1
    result.stored_sent += seen
    result.unaccounted_stored += found.unaccounted
    with store.lock:
        for key in [key for key in store.objects if key.startswith(ended.address.removeprefix("s3://"))]:
            del store.objects[key]


class _Machines(Machines):
    """With keys, and one secret for all."""

    def __init__(self, folder: Path, s3: str, url: str) -> None:
        super().__init__(folder, s3, url)
        self.variables |= KEYS | {"FMBENCH_SECRET": "soak-" + "x" * 32}

"""The soak: a long run over a master and three workers, and short runs that are stored on S3, while all around them fails.

What fails follows from a seed: processes are killed, told to end and stopped; the endpoint throttles, resets, drips its answers
byte by byte or never ends them; S3 says SlowDown, loses its answers to PUT or says 412. Judged are the account of every run
against what the endpoint saw, and the memory and descriptors of each process that lived through it.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.bedrock import by_hand
from tests.bedrock.scripted_server import Request, reset, scripted
from tests.distributed.machines import Machine, Machines, below
from tests.e2e.commands import Desk, Ended
from tests.faults.hostile import ANSWER, error
from tests.faults.store import LOST_ANSWER, PRECONDITION, SLOW_DOWN, FailingStore, failing_store
from tests.faults.trials import KEYS, config, trial

WORKERS, USERS = 3, 6
PACE_S = 0.15
"""How long a sound answer takes: some forty requests a second."""
SETTLED_S = 600.0
"""Growth is looked at from then on."""
SAMPLE_S = 10.0
CELL_S = 10.0
TIMEOUTS = {"first_byte_s": 2, "between_bytes_s": 2, "total_s": 4}
THROTTLE = error("429 Too Many Requests", "ThrottlingException", "Too many requests, please wait before trying again.")


@dataclass
class Endpoint:
    """Counts every request that reaches it, and answers as ``weather`` says: shares of answers that fail in each way."""

    random: Random
    weather: dict[str, float] = field(default_factory=dict)
    seen: int = 0
    given: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def answer(self, connection: socket.socket, request: Request) -> None:
        """One request."""
        with self.lock:
            self.seen += 1
            draw, kind = self.random.random(), "answer"
            for name, share in self.weather.items():
                draw -= share
                if draw < 0:
                    kind = name
                    break
            self.given[kind] += 1
        time.sleep(PACE_S)
        getattr(self, f"_{kind}")(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.sendall(ANSWER)

    def _throttle(self, connection: socket.socket) -> None:
        connection.sendall(THROTTLE)

    def _reset(self, connection: socket.socket) -> None:
        connection.sendall(ANSWER[: len(ANSWER) // 2])
        reset(connection)

    def _drip(self, connection: socket.socket) -> None:
        """A byte at a time: no deadline between bytes ever passes."""
        for at in range(len(ANSWER)):
            connection.sendall(ANSWER[at : at + 1])
            time.sleep(0.2)

    def _endless(self, connection: socket.socket) -> None:
        connection.sendall(by_hand.stream_head())
        piece = by_hand.chunk(by_hand.text("and so on"))
        while True:
            connection.sendall(piece)
            time.sleep(0.05)


@contextmanager
def endpoint(seed: str) -> Iterator[Endpoint]:
    """Serve until the block ends."""
    found = Endpoint(Random(f"{seed}:endpoint"))

    def script(connection: socket.socket, request: Request) -> None:
        server.requests.clear()  # only their number matters here
        found.answer(connection, request)

    with scripted(script) as server:
        found.url = server.url
        yield found


WEATHERS: tuple[dict[str, float], ...] = (
    {},
    {"throttle": 0.3},
    {"reset": 0.2},
    {"drip": 0.1},
    {"endless": 0.1},
    {"throttle": 0.1, "reset": 0.1, "drip": 0.05, "endless": 0.05},
)
OUTAGES: tuple[dict[str, float], ...] = ({}, {SLOW_DOWN: 0.5}, {LOST_ANSWER: 0.3}, {PRECONDITION: 0.1, SLOW_DOWN: 0.2})


@dataclass
class Sample:
    """One look at a process."""

    at_s: float
    memory: int
    descriptors: int


@dataclass
class Growth:
    """How much a process grew after it had settled, in per cent; from the medians of the first and the last fifth."""

    name: str
    lived_s: float
    memory: float
    descriptors: float


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
    answers: Counter[str] = field(default_factory=Counter)
    outages: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    growth: list[Growth] = field(default_factory=list)
    cells: Counter[str] = field(default_factory=Counter)


class Watch:
    """Samples the memory and the descriptors of processes."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.samples: dict[tuple[str, int], list[Sample]] = {}

    def look(self, name: str, pids: list[int]) -> None:
        """One sample of each."""
        for pid in pids:
            with suppress(OSError, IndexError, ValueError):
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                files = len(os.listdir(f"/proc/{pid}/fd"))
                sample = Sample(time.monotonic() - self._began, pages * os.sysconf("SC_PAGE_SIZE"), files)
                self.samples.setdefault((name, pid), []).append(sample)

    def growth(self, settled_s: float = SETTLED_S) -> list[Growth]:
        """Of every process that was looked at for at least twice as long as it takes to settle, or half of that after it."""
        found = []
        for (name, _), samples in self.samples.items():
            late = [each for each in samples if each.at_s - samples[0].at_s >= settled_s]
            if len(late) < 20:
                continue
            fifth = len(late) // 5
            first, last = late[:fifth], late[-fifth:]
            memory, files = (100 * (_middle(last, of) / max(1.0, _middle(first, of)) - 1) for of in ("memory", "descriptors"))
            found.append(Growth(name, samples[-1].at_s - samples[0].at_s, memory, files))
        return found


def _middle(samples: list[Sample], of: str) -> float:
    return statistics.median(getattr(each, of) for each in samples)


class Nemesis:
    """Does something to somebody every few seconds, by its seed."""

    def __init__(self, seed: str, soak: Soak, machines: Machines, at: Endpoint, store: FailingStore) -> None:
        self._random = Random(f"{seed}:nemesis")
        self._soak, self._machines, self._endpoint, self._store = soak, machines, at, store
        self._stopped: dict[int, float] = {}
        self.workers: list[Machine] = []

    def strike(self) -> None:
        """One fault. The first worker is never killed, so that its memory is seen for the whole time."""
        what = self._random.choice(("kill", "term", "stop", "stop", "weather", "weather", "weather", "store", "store", "calm"))
        self._soak.done[what] += 1
        if what in ("kill", "term"):
            self._replace(self._random.randrange(1, WORKERS), what)
        elif what == "stop":
            self._stop(self.workers[self._random.randrange(WORKERS)])
        elif what == "store":
            self._outage(self._random.choice(OUTAGES))
        else:
            self._endpoint.weather = {} if what == "calm" else self._random.choice(WEATHERS)

    def _replace(self, number: int, how: str) -> None:
        """As Kubernetes does: what ends is started again."""
        machine = self.workers[number]
        if how == "kill":
            machine.kill()
        else:
            machine.process.send_signal(signal.SIGTERM)
        self.workers[number] = self._machines.workers(1)[0]

    def _stop(self, machine: Machine) -> None:
        for pid in below(machine.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self._stopped[pid] = time.monotonic() + self._random.uniform(1, 6)

    def release(self, everybody: bool = False) -> None:
        """Let those go on that stood still for long enough."""
        for pid, until in list(self._stopped.items()):
            if everybody or time.monotonic() > until:
                del self._stopped[pid]
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _outage(self, shares: dict[str, float]) -> None:
        chance = Random(self._random.random())

        def outage(method: str, key: str) -> str | None:
            draw = chance.random()
            for word, share in shares.items():
                draw -= share
                if draw < 0 and (word != PRECONDITION or method == "PUT"):
                    return word
            return None

        self._store.outage = outage


def study(seconds: float) -> dict[str, Any]:
    """Cells of ten seconds until the time is over."""
    load = {"concurrency": [USERS], "warmup_s": 0, "duration_s": CELL_S, "min_requests": 0, "timeouts": TIMEOUTS}
    return config(load=load | {"repeats": max(1, round(seconds / (CELL_S + 3)))})


def soak(folder: Path, seconds: float, seed: str, every_s: tuple[float, float] = (6, 18)) -> Soak:
    """Run it. The long run is ended by SIGINT when the time is over."""
    result, over = Soak(seconds), threading.Event()
    with endpoint(seed) as at, failing_store() as store:
        machines = _Machines(folder, store.url, at.url)
        nemesis = Nemesis(seed, result, machines, at, store)
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
            store.outage = lambda method, key: None
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
                outage, store.outage = store.outage, lambda method, key: None
                again = desk.call(*arguments, "--resume", ended.run.name)
                store.outage = outage
                result.resumed_runs += 1
                assert again.status in (0, ended.status), again.stderr
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

"""Runs Locust on a prepared run folder, as a supervised process: plain Python, in which neither gevent nor boto3 is imported."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from types import FrameType
from typing import Any

from fmbench.core.failures import ExitCode, FmbenchError, Refused, UnusableInput, Vanished
from fmbench.load.events import STAYS, VARIABLE, Counted, Event, PageStays, Told, hearing
from fmbench.load.heeded import heeded
from fmbench.load.leaving import Limit, bounds_of, forget_marks, leave_within, page_bounds
from fmbench.load.process_group import end_group
from fmbench.load.secret import new_secret, secret
from fmbench.load.silence import VARIABLE as ALIVE
from fmbench.load.silence import Silence
from fmbench.storage.held import holding

LOG_LINES = 15
NO_MASTER = 255
"""Locust's exit status for a worker that gave up looking for its master."""


def launch(
    folder: Path,
    processes: int = 1,
    master: bool = False,
    expect_workers: int = 1,
    web: bool = False,
    web_port: int = 8089,
    store: str | None = None,
    listen: tuple[str | None, int | None] = (None, None),
    take: Callable[[Event], None] = lambda event: None,
    over: Callable[[str], None] | None = None,
) -> str:
    """Put the load of a prepared run folder on its endpoint, and return the ``ended`` word of its ``load.json``.

    A master listens at ``listen``, a host (None: all) and a port. ``store``: the address where workers elsewhere find what was
    prepared and bring what they write; None: they see ``folder`` on their own disks. ``take`` hears what goes on.
    ``over``: with ``web`` the page stays open after a run that no signal ended; this is called then, with the ``ended`` word, and
    the word is returned when the page was closed. It is not called where the page does not stay.
    SIGINT and SIGTERM go to the load processes, which end in good order; a second one ends them at once. One that comes before a
    load process has begun is raised again here. Raises ``Refused``, ``UnusableInput`` or ``FmbenchError`` when there was no run
    at all.
    """
    where = ["--master", "--expect-workers", str(expect_workers), *_bind(*listen)] if master else _on_this_machine(processes)
    look = ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(web_port)] if web else ["--headless"]
    result = folder / "load.json"
    result.unlink(missing_ok=True)
    shared = secret() or (None if master else new_secret())
    variables = {"FMBENCH_RUN": str(folder.resolve())} | ({"FMBENCH_STORE": store} if store else {}) | _secret(shared)
    counted, heard = Counted(take), list[int]()
    page = _Page(result, counted.take, over if web else None, heard)
    with hearing(page.take) as pipe, holding(folder) as held:
        variables |= {VARIABLE: str(pipe)} | page.variables
        outcome = _supervise([*look, *where], [folder / "locust"], variables, heard, pipes=(pipe,), wait=page.wait)
        if page.ended is None:
            held.put_back()
    if page.ended is not None:
        return page.ended
    if not folder.is_dir():
        raise Vanished(
            f"{folder}: the run folder was moved or deleted while the load ran. What load processes wrote is where it is now: "
            "`fmbench-load report` with its new place does the rest; of a deleted one nothing could be written again: "
            f"at least {counted.sent:,} requests had been sent, and they are lost."
        )
    if not result.exists():
        if heard and not _began(folder):
            signal.raise_signal(heard[0])  # nothing was begun: the signal is the program's own again
        _write_what_is_known(result, outcome, folder / "locust" / "locust.log", heard)
    return _ended(result)


def _ended(result: Path) -> str:
    ended: str = json.loads(result.read_text())["ended"]
    return ended


@dataclass(slots=True)
class _Started:
    """A load process that was started, in a folder of its own."""

    process: subprocess.Popen[bytes]
    scratch: Path
    silence: Silence


def _limits(
    started: Sequence[_Started], heard: Sequence[int], result: Path | None = None, page: bool = False
) -> dict[subprocess.Popen[bytes], list[Limit]]:
    """What each of them may not pass. ``page``: only its web page is left."""
    limits: dict[subprocess.Popen[bytes], list[Limit]] = {}
    for each in started:
        bounds = page_bounds(each.scratch, heard) if page else bounds_of(each.scratch, heard, result)
        limits[each.process] = [*bounds, each.silence]
    return limits


@dataclass(slots=True)
class _Outcome:
    """How the load processes ended: the worst exit status, and why the last one was killed that had to be."""

    status: int
    killed: str | None = None

    @property
    def reason(self) -> str:
        """In words."""
        if self.killed is not None:
            return self.killed
        by = f"signal {signal.Signals(-self.status).name}" if self.status < 0 else f"status {self.status}"
        return f"the load process was ended by {by}"


class _Page:
    """The web UI's page that outlives the load: what is to be done as soon as only the page is left."""

    def __init__(
        self, result: Path, take: Callable[[Event], None], over: Callable[[str], None] | None, heard: Sequence[int]
    ) -> None:
        self._result, self._take, self._over, self._stays, self._heard = result, take, over, Flag(), heard
        self.variables = {} if over is None else {STAYS: "1"}
        self.ended: str | None = None
        """The ``ended`` word that was handed on."""

    def take(self, event: Told) -> None:
        if isinstance(event, PageStays):
            self._stays.set()
        else:
            self._take(event)

    def wait(self, started: Sequence[_Started]) -> str | None:
        """Until the process has ended, within its bounds; in the meantime hand on that the load is over, where a page stays."""
        killed = leave_within(_limits(started, self._heard, self._result), unless=self._stays.is_set)
        if self._over is not None and self._stays.is_set():
            self.ended = _ended(self._result)
            self._over(self.ended)
            leave_within(_limits(started, self._heard, page=True))
        return killed


def join(master_host: str, master_port: int, scratch: Path, processes: int = 1) -> int:
    """Carry users for a master elsewhere until it says that the run is over. Returns the worst exit status of the load processes.

    What they write and cannot store stays below ``scratch``. Each is a process of its own: Locust's forks outlive a signal.
    Raises ``Refused`` when no master was found.
    """
    where = ["--worker", "--master-host", master_host, "--master-port", str(master_port)]
    count = processes if processes > 0 else len(os.sched_getaffinity(0))
    heard: list[int] = []
    status = _supervise(where, [scratch / f"process-{number}" for number in range(count)], _secret(secret()), heard).status
    if heard and (status < 0 or status == ExitCode.FAULT):
        return ExitCode.INTERRUPTED if heard[0] == signal.SIGINT else ExitCode.TERMINATED
    if status == NO_MASTER:
        at = f"{master_host}:{master_port}"
        cure = "start one there with --master, let this machine reach its port, and give both the same FMBENCH_SECRET, or neither"
        raise Refused(f"no master answered at {at}: {cure}.")
    return ExitCode.UNACCOUNTED if status < 0 else status


def _secret(shared: str | None) -> dict[str, str]:
    return {} if shared is None else {"FMBENCH_SECRET": shared}


def _bind(host: str | None, port: int | None) -> list[str]:
    return [*_option("--master-bind-host", host), *_option("--master-bind-port", port)]


def _option(name: str, value: str | int | None) -> list[str]:
    return [] if value is None else [name, str(value)]


def _on_this_machine(processes: int) -> list[str]:
    """The master of forked load processes listens on a port of its own, so that runs on one machine do not meet."""
    if processes == 1:
        return []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    return ["--processes", str(processes), *_bind("127.0.0.1", int(port)), "--master-port", port]


def _supervise(
    arguments: list[str],
    scratches: list[Path],
    variables: Mapping[str, str],
    heard: list[int],
    pipes: tuple[int, ...] = (),
    wait: Callable[[Sequence[_Started]], str | None] | None = None,
) -> _Outcome:
    """Run Locust, once for each folder of ``scratches``, and hand signals on (and to ``heard``).

    ``wait`` waits for the end of the processes, and says why one was killed; None: within their bounds.
    """
    children: list[subprocess.Popen[bytes]] = []
    started: list[_Started] = []
    with _signals_to(children, heard):
        try:
            for scratch in scratches:
                silence = Silence()
                child = _start(arguments, scratch, {**variables, ALIVE: str(silence.writing)}, (*pipes, silence.writing))
                missed = list(heard)
                children.append(child)
                silence.pid = child.pid
                started.append(_Started(child, scratch, silence))
                for number in missed:
                    child.send_signal(number)
            killed = leave_within(_limits(started, heard)) if wait is None else wait(started)
            return _Outcome(max((child.wait() for child in children), key=abs), killed)
        finally:
            for child in children:
                if child.poll() is None:
                    child.kill()
                end_group(child.pid)
            for each in started:
                each.silence.close()
            for scratch in scratches:
                forget_marks(scratch)


def _start(arguments: list[str], scratch: Path, variables: Mapping[str, str], pipes: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """Locust as a process in ``scratch``, where its log goes too."""
    scratch.mkdir(parents=True, exist_ok=True)
    forget_marks(scratch)
    log = (scratch / "locust.log").resolve()
    log.open("ab").close()  # Locust has only a traceback for a log that cannot be written
    common = ["-f", str(Path(__file__).with_name("locustfile.py")), "-u", "0", "-r", "1", "--only-summary", "--stop-timeout", "0"]
    command = [sys.executable, "-m", "fmbench.load", *common, "--logfile", str(log), "--loglevel", "WARNING", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "FMBENCH_"))}
    own = {"FMBENCH_PARENT": str(os.getpid()), "FMBENCH_SCRATCH": str(scratch.resolve()), "PYTHONPATH": _import_path()}
    with _held_back():
        return subprocess.Popen(
            command,
            cwd=scratch,
            env=clean | own | dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=pipes,
        )


@contextmanager
def _held_back() -> Iterator[None]:
    """A process that is started within it gets no SIGINT or SIGTERM until it asks for them (``__main__.py``)."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _import_path() -> str:
    """Where this package was found, so that the child finds the same one from another folder."""
    own = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])


@contextmanager
def _signals_to(child: list[subprocess.Popen[bytes]], heard: list[int]) -> Iterator[None]:
    """Within it SIGINT and SIGTERM are the child's business; ``heard`` gets their numbers."""

    def hand_on(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        for process in child:
            process.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _began(folder: Path) -> bool:
    """Whether a load process has opened its journal."""
    return any(folder.glob("journal/*.jsonl"))


def _write_what_is_known(result: Path, outcome: _Outcome, log: Path, heard: list[int]) -> None:
    """Locust ended without a word: what was sent stands in the journals, if there are any."""
    if not _began(result.parent):
        raise _refusal(outcome.status, log)
    ended = signal.Signals(heard[0]).name.lower() if heard else "worker_lost"
    row: dict[str, Any] = {"ended": ended, "message": outcome.reason, "ended_at": time.time()}
    result.write_text(json.dumps(row | {"workers": [], "locust": {}}) + "\n")


def _refusal(status: int, log: Path) -> FmbenchError:
    if status == ExitCode.UNUSABLE:
        return UnusableInput("the load did not start; the reason stands above.")
    if status == ExitCode.REFUSED:
        return Refused("the load did not start; the reason stands above.")
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:]) if log.exists() else ""
    return FmbenchError(f"Locust ended with status {status} before the first request; its log {log} says:\n{tail}")

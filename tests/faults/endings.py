"""Faults at the end: load processes that hang or stand still, pages that stay, answers that never end."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.bedrock import by_hand
from tests.e2e.commands import Command, Desk, load_processes, wait_until
from tests.faults.hostile import Asked, Ledger, hostile
from tests.faults.processes import LONG, child_of, slowly
from tests.faults.trials import Trial, config, desk, fault, trial
from tests.support.emulators import free_port

BOUND_S = 3
HURRIED = f"""
import os, pathlib, time
import fmbench.load.deadlines as deadlines
deadlines.CLOSE_S = deadlines.LEAVE_S = deadlines.STILL_S = {BOUND_S}
if "FMBENCH_RUN" in os.environ:
    import ctypes, signal
    signal.signal(signal.SIGUSR1, lambda *caught: ctypes.PyDLL(None).sleep(1000))  # with the interpreter's lock held
if os.environ.get("HANGS") and "FMBENCH_SCRATCH" in os.environ:
    sound = pathlib.Path.replace
    def replace(self, target):
        if str(target).endswith("load.json"):
            while True:
                time.sleep(1)
        return sound(self, target)
    pathlib.Path.replace = replace
"""
"""Bounds of seconds; a load process that hangs as it writes load.json, or that SIGUSR1 sends into an endless C call. Put
where Python looks for it at its start."""


def hurried(place: Path, ledger: Ledger, **variables: str) -> Desk:
    (place / "sitecustomize.py").write_text(HURRIED)
    return desk(place, ledger, PYTHONPATH=str(place), **variables)


def _hangs(place: Path, *arguments: str) -> Trial:
    with hostile(slowly) as ledger:
        ended = hurried(place, ledger, HANGS="1").run(config(), *arguments)
        assert ended.status == 5, ended.stderr
        assert f"did not end within {BOUND_S} s: it is killed" in ended.stderr and "Traceback" not in ended.stderr, ended.stderr
        return trial(ended, len(ledger))


@fault("a load process hangs before it has said that the load is over")
def hangs(place: Path) -> Trial:
    return _hangs(place)


@fault("a load process with the web UI hangs before it has said that the load is over")
def hangs_with_page(place: Path) -> Trial:
    return _hangs(place, "--web", "--web-port", str(free_port()))


@fault("forked load processes hang before they have said that the load is over")
def forks_hang(place: Path) -> Trial:
    return _hangs(place, "--processes", "2")


@fault("a load process stands still for ever, and the run is told to end")
def stopped_for_ever(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        at = hurried(place, ledger)
        command = at.start_run(config(load=LONG))
        wait_until(lambda: len(ledger) >= 40 or command.process.poll() is not None)
        os.kill(child_of(command), signal.SIGSTOP)
        command.process.send_signal(signal.SIGTERM)
        ended = command.ended(120)
        assert ended.status == 143 and "it is killed" in ended.stderr, ended.stderr
        return trial(ended, len(ledger))


def _says_nothing(command: Command, ledger: Ledger, *words: str) -> Trial:
    """A run that is nobody's to end: it goes on to its account by itself, and nobody sends any more."""
    ended = command.ended(120)
    assert ended.status == 5 and "Traceback" not in ended.stderr, ended.stderr
    assert all(word in ended.stderr for word in words), ended.stderr
    assert (ended.run / "report.md").exists() and not (ended.run / "journal").exists()
    return trial(ended, len(ledger))


def _silenced(place: Path, number: signal.Signals) -> Trial:
    """The only load process is sent a signal in the middle of a run, and says nothing any more."""
    with hostile(slowly) as ledger:
        command = hurried(place, ledger).start_run(config(load=LONG))
        wait_until(lambda: len(ledger) >= 40 or command.process.poll() is not None)
        process = child_of(command)
        os.kill(process, number)
        return _says_nothing(command, ledger, f"load process {process} has not answered for {BOUND_S} s")


@fault("the only load process stands still for ever")
def stands_still_for_ever(place: Path) -> Trial:
    return _silenced(place, signal.SIGSTOP)


@fault("the only load process is stuck in a C call that never returns")
def stuck_for_ever(place: Path) -> Trial:
    return _silenced(place, signal.SIGUSR1)


@fault("one of three forked load processes stands still for ever")
def fork_stands_still(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        load = {"concurrency": [6, 3], "warmup_s": 0, "duration_s": 3, "min_requests": 0}
        command = desk(place, ledger).start_run(config(load=load), "--processes", "3")
        wait_until(lambda: len(ledger) >= 40 or command.process.poll() is not None)
        stopped = load_processes(command.process.pid)[-1]
        os.kill(stopped, signal.SIGSTOP)
        said = (f"(process {stopped} on ", "which does not answer", "stopped answering in the middle of the run")
        found = _says_nothing(command, ledger, *said)
        with suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGCONT)
            raise AssertionError("a load process is left")
        return found


def dripping(asked: Asked) -> Iterator[bytes]:
    """A third of the answers come a byte at a time and never end, from the head or from the body on."""
    whole = by_hand.streamed(by_hand.answer_frames())
    if asked.number % 3:
        yield whole
        return
    begin = (0, whole.index(b"\r\n\r\n") + 4, len(whole) - 60)[asked.number // 3 % 3]
    if begin:
        yield whole[:begin]
    for place in range(begin, len(whole) - 1):
        time.sleep(0.5)
        yield whole[place : place + 1]


@fault("answers that come a byte at a time and never end")
def drips(place: Path) -> Trial:
    with hostile(dripping) as ledger:
        timeouts = {"total_s": 3, "first_byte_s": 3, "between_bytes_s": 3}
        load = {"concurrency": [6], "warmup_s": 0, "duration_s": 2, "min_requests": 0, "timeouts": timeouts}
        begun = time.monotonic()
        ended = desk(place, ledger).run(config(load=load))
        assert ended.status == 0, ended.stderr
        assert set(ended.records().failure.dropna()) <= {"timeout_total", "timeout_first_byte"}, ended.records().failure
        assert ended.records().e2e_s.max() < 4 and time.monotonic() - begun < 60
        return trial(ended, len(ledger))


@fault("answers that come a byte at a time and never end, and the run is told to end")
def drips_and_told(place: Path) -> Trial:
    with hostile(dripping) as ledger:
        command = desk(place, ledger).start_run(config(load=LONG))
        wait_until(lambda: len(ledger) >= 12 or command.process.poll() is not None)
        begun = time.monotonic()
        command.process.send_signal(signal.SIGINT)
        ended = command.ended(120)
        assert ended.status == 130 and time.monotonic() - begun < 60, ended.stderr
        return trial(ended, len(ledger))


SET_CLOCK = """
import os, time
if "FMBENCH_RUN" in os.environ:
    begun, sound, sound_ns = time.monotonic(), time.time, time.time_ns
    def ahead(): return float(os.environ["STEP_S"]) if os.path.exists(os.environ["STEP_WHEN"]) else 0.0
    time.time = lambda: sound() + ahead()
    time.time_ns = lambda: sound_ns() + int(ahead() * 1e9)
"""
"""The clock of a load process, which is set as soon as there is a certain file."""


@fault("the clock is set an hour back, or a day ahead, in the middle of a cell")
def clock_set(place: Path) -> Trial:
    (place / "sitecustomize.py").write_text(SET_CLOCK)
    load = {"concurrency": [4, 6], "warmup_s": 0.5, "duration_s": 2, "min_requests": 0}
    when = place / "now"
    with hostile(slowly) as ledger:
        step = random.choice(("-3600", "86400"))
        at = desk(place, ledger, PYTHONPATH=str(place), STEP_S=step, STEP_WHEN=str(when))
        command = at.start_run(config(load=load))
        wait_until(lambda: len(ledger) >= 60 or command.process.poll() is not None)
        when.touch()
        ended = command.ended(120)
        assert ended.status == 0, ended.stderr
        cells = ended.json("summary.json")["cells"]
        assert len(cells) == 2 and all(1.5 < cell["duration_s"] < 4 for cell in cells), cells
        assert all(cell["transactions_per_minute"] > 0 and cell["requests"] > 40 for cell in cells), step
        return trial(ended, len(ledger))

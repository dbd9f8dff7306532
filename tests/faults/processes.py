"""Faults of the processes, the disk and the terminal of a run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fmbench.load.process_group import living
from tests.bedrock import by_hand
from tests.e2e.commands import Command, Desk, wait_until
from tests.faults.hostile import ANSWER, Answerer, Asked, Ledger, hostile
from tests.faults.trials import Trial, config, desk, fault, trial

LONG = {"concurrency": [6], "warmup_s": 0, "duration_s": 60, "min_requests": 0}


def slowly(asked: Asked) -> bytes:
    time.sleep(0.05)
    return ANSWER


def only_run(at: Desk) -> Path:
    (run,) = at.results.iterdir()
    return run


def child_of(command: Command) -> int:
    """The supervised Locust process: the child of the command that leads a session of its own."""

    def find() -> int | None:
        text = Path(f"/proc/{command.process.pid}/task/{command.process.pid}/children").read_text()
        return next((pid for pid in map(int, text.split()) if os.getpgid(pid) == pid), None)

    return int(wait_until(find))


def _started(at: Desk, ledger: Ledger, *arguments: str, requests: int = 40) -> Command:
    command = at.start_run(config(load=LONG), *arguments)
    wait_until(lambda: len(ledger) >= requests or command.process.poll() is not None)
    assert command.process.poll() is None, command.ended()
    return command


@fault("the local master is killed, its forked load processes go on")
def master_killed(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        at = desk(place, ledger)
        command = _started(at, ledger, "--processes", "3")
        group = child_of(command)
        os.kill(group, signal.SIGKILL)
        ended = command.ended()
        assert ended.status == 5, ended.stderr
        assert living(group) == []
        sent = len(ledger)
        assert not (only_run(at) / "journal").exists()
        result = trial(ended, sent)
        time.sleep(0.5)  # nobody sends any more: the ledger stands still
        assert len(ledger) == sent
        return result


@fault("a report is asked for while load processes still write")
def report_while_writing(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        at = desk(place, ledger)
        command = _started(at, ledger)
        early = at.call("report", str(only_run(at)))
        assert early.status == 3 and "still write" in early.stderr, early.stderr
        command.process.send_signal(signal.SIGINT)
        ended = command.ended()
        assert ended.status == 130
        return trial(ended, len(ledger))


@fault("the only load process is killed")
def load_killed(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        at = desk(place, ledger)
        command = _started(at, ledger)
        os.kill(child_of(command), signal.SIGKILL)
        ended = command.ended()
        assert ended.status == 5, ended.stderr
        return trial(ended, len(ledger))


@fault("the run folder is moved while the load runs")
def folder_moved(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        at = desk(place, ledger)
        command = _started(at, ledger)
        run = only_run(at)
        moved = place / run.name
        run.rename(moved)
        command.process.send_signal(signal.SIGINT)
        ended = command.ended()
        assert "before the first request" not in ended.stderr and "moved or deleted" in ended.stderr, ended.stderr
        report = at.call("report", str(moved))
        assert report.status == 0, report.stderr
        return replace(trial(report, len(ledger), moved), status=ended.status)


@fault("the run folder is deleted while the load runs")
def folder_deleted(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        at = desk(place, ledger)
        command = _started(at, ledger)
        shutil.rmtree(only_run(at), ignore_errors=True)
        return _written_again(at, command, ledger)


@fault("the run folder of forked load processes is deleted while the load runs")
def forks_folder_deleted(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        at = desk(place, ledger)
        command = _started(at, ledger, "--processes", "2")
        shutil.rmtree(only_run(at), ignore_errors=True)
        return _written_again(at, command, ledger)


def _written_again(at: Desk, command: Command, ledger: Ledger) -> Trial:
    """The load is stopped by itself, and what was sent is in the folder again, with a report."""
    ended = command.ended()
    assert ended.status == 4, ended.stderr
    assert "the run folder was deleted" in ended.stderr and "Traceback" not in ended.stderr, ended.stderr
    assert (ended.run / "report.md").exists()
    assert at.call("report", str(ended.run)).status == 0
    return trial(ended, len(ledger))


@fault("the run folder is deleted and the load process killed")
def deleted_and_killed(place: Path) -> Trial:
    with hostile(slowly) as ledger:
        at = desk(place, ledger)
        command = _started(at, ledger)
        os.kill(child_of(command), signal.SIGSTOP)  # it cannot see that the folder is gone
        shutil.rmtree(only_run(at))
        os.kill(child_of(command), signal.SIGKILL)
        ended = command.ended()
        assert ended.status == 5 and "the run folder was deleted" in ended.stderr, ended.stderr
        assert "Traceback" not in ended.stderr and (ended.run / "report.md").exists()
        assert at.call("report", str(ended.run)).status == 0
        return trial(ended, len(ledger))


@fault("the disk is full")
def disk_full(place: Path) -> Trial:
    disk = place / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        with hostile(slowly) as ledger:
            at = desk(place, ledger)
            command = at.start("--config", at.write(config(load=LONG)), "--output", str(disk))
            wait_until(lambda: len(ledger) >= 40 or command.process.poll() is not None)
            (disk / "ballast").write_bytes(b"x" * 20_000_000)
            ended = command.ended()
            assert ended.status == 4, ended.stderr
            assert "Traceback" not in ended.stderr and "disk" in ended.stderr
            assert ended.manifest["ended"] == "error_limit"
            assert f"fmbench-load report {ended.run}" in ended.stderr, "no report, but how to get it"
            (disk / "ballast").unlink()
            assert at.call("report", str(ended.run)).status == 0
            return trial(ended, len(ledger))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@fault("nobody reads stdout, or it is full")
def stdout_gone(place: Path) -> Trial:
    with hostile(lambda asked: ANSWER) as ledger:
        at = desk(place, ledger)
        command = at.start_run(config())
        assert command.process.stdout is not None
        command.process.stdout.close()
        assert command.process.stderr is not None
        with command.process.stderr as stream:
            stderr = stream.read()
        assert command.process.wait(60) == 0, stderr
        run = only_run(at)
        assert json.loads((run / "manifest.json").read_text())["status"] == "done"
        assert str(run) in stderr
        with open("/dev/full", "w") as full:
            full_status = subprocess.run(
                [*command.process.args[:3], "report", str(run)],  # type: ignore[index]
                stdout=full,
                stderr=subprocess.PIPE,
                env=os.environ | at.variables,
                cwd=Path(__file__).parents[2],
            )
        assert full_status.returncode == 0, full_status.stderr
        rows = len(ledger)
        counts = json.loads((run / "manifest.json").read_text())["accounting"]
        return Trial(rows, rows - counts["sent"], 0)


@fault("a load process stands still for five seconds, its deadlines pass")
def stands_still(place: Path) -> Trial:
    def answer(asked: Asked) -> bytes:
        time.sleep(0.3)
        return by_hand.streamed(by_hand.answer_frames())

    def stand_still(group: int) -> None:
        os.kill(group, signal.SIGSTOP)
        time.sleep(5)  # the fault itself
        os.kill(group, signal.SIGCONT)

    return _stood_still(place, answer, stand_still)


@fault("a load process stands still for five seconds, and the endpoint gives its connections up")
def given_up(place: Path) -> Trial:
    stopped = threading.Event()

    def answer(asked: Asked) -> Iterator[bytes]:
        """In each of three stages of an answer the endpoint has enough of a client that does not read."""
        whole = by_hand.streamed(by_hand.answer_frames())
        parts = (b"", whole[:60], whole[: len(whole) // 2])
        if (begun := parts[asked.number % 3]) and not stopped.is_set():
            yield begun
        if stopped.wait(0.3):
            time.sleep(2)
            yield b""
        yield whole[len(begun) :]

    def stand_still(group: int) -> None:
        time.sleep(0.1)
        os.kill(group, signal.SIGSTOP)
        stopped.set()
        time.sleep(5)  # the fault itself
        stopped.clear()
        os.kill(group, signal.SIGCONT)

    return _stood_still(place, answer, stand_still)


def _stood_still(place: Path, answer: Answerer, stand_still: Callable[[int], None]) -> Trial:
    """A run whose load process stands still: what happened to its requests meanwhile is not held against the model."""
    load = {"concurrency": [4], "warmup_s": 0, "duration_s": 2, "min_requests": 0}
    timeouts = {"total_s": 2, "first_byte_s": 2, "between_bytes_s": 2}
    with hostile(answer) as ledger:
        at = desk(place, ledger)
        command = at.start_run(config(load=load | {"timeouts": timeouts}))
        wait_until(lambda: len(ledger) >= 6)
        stand_still(child_of(command))
        ended = command.ended()
        assert ended.status == 0, ended.stderr
        rows = ended.records()
        assert set(rows.failure.dropna()) <= {"stalled"}, rows.failure.value_counts()
        return trial(ended, len(ledger))

"""A signal at any moment of a run: true words, a true status, nothing lost, and the rest done by the next command."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from fmbench.load.heeded import heeded
from fmbench.run.signals import Terminated, put_off, terminating
from tests.e2e.commands import Command, Desk, Ended, wait_until
from tests.faults.hostile import ANSWER, Ledger, hostile
from tests.faults.processes import child_of
from tests.faults.store import failing_store
from tests.faults.trials import config, desk, trial

pytestmark = pytest.mark.slow
BOTH = pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
NOTHING = "before the first request; nothing was kept."


class Reading:
    """What a command says on stderr, as it says it."""

    def __init__(self, command: Command) -> None:
        self.command, self.text = command, ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.command.process.stderr is not None
        with self.command.process.stderr as stream:
            for line in stream:
                self.text += line

    def signal_when(self, said: str, number: int) -> Ended:
        """Send the signal as soon as ``said`` was said, and wait for the end."""
        wait_until(lambda: said in self.text or self.command.process.poll() is not None)
        self.command.process.send_signal(number)
        assert self.command.process.stdout is not None
        with self.command.process.stdout as stream:
            stdout = stream.read()
        status = self.command.process.wait(120)
        self._thread.join(10)
        return Ended(status, stdout, self.text)


def only_manifest(at: Desk) -> dict[str, Any]:
    (run,) = at.results.iterdir()
    manifest: dict[str, Any] = json.loads((run / "manifest.json").read_text())
    return manifest


def assert_quiet(ended: Ended) -> None:
    """Nobody's traceback is on the terminal."""
    assert "Traceback" not in ended.stderr and "KeyboardInterrupt" not in ended.stderr, ended.stderr


def assert_finished_by_report(at: Desk, ended: Ended, ledger: Ledger) -> None:
    """The run says that it was interrupted, and ``report`` makes of it what it would have been."""
    assert_quiet(ended)
    assert NOTHING not in ended.stderr and str(ended.run) in ended.stderr
    assert ended.manifest["status"] == "interrupted" and "process" not in ended.manifest
    assert trial(ended, len(ledger)).unaccounted == 0
    again = at.call("report", str(ended.run))
    assert again.status == 0, again.stderr
    assert ended.manifest["status"] == "done" and (ended.run / "report.md").exists()


@BOTH
def test_while_the_report_is_written(tmp_path: Path, number: int, status: int) -> None:
    with hostile(lambda asked: ANSWER) as ledger:
        at = desk(tmp_path, ledger)
        command = Reading(at.start_run(config()))
        wait_until(lambda: "Writing the report." in command.text)
        assert only_manifest(at)["status"] == "running"
        ended = command.signal_when("Writing the report.", number)
        assert ended.status == status, ended.stderr
        assert_finished_by_report(at, ended, ledger)


@pytest.mark.long
@BOTH
def test_while_the_run_is_stored(tmp_path: Path, number: int, status: int) -> None:
    """What S3 has says nothing of an end; ``--resume`` brings the rest there, without a further request."""
    with hostile(lambda asked: ANSWER) as ledger, failing_store() as store:
        at = desk(tmp_path, ledger, AWS_ENDPOINT_URL_S3=store.url, TMPDIR=str(tmp_path))
        study = at.write(config())
        command = Reading(at.start("--config", study, "--output", "s3://bucket/runs"))

        wait_until(lambda: "Writing the report." in command.text)
        store.delay_s = 0.3
        wait_until(lambda: any(key.endswith("config.yml") for key in store.objects))
        ended = command.signal_when("Writing the report.", number)
        assert ended.status == status, ended.stderr
        assert_quiet(ended)
        store.delay_s = 0
        run_id = ended.run.name
        there = json.loads(store.below(f"bucket/runs/{run_id}/")["manifest.json"])
        assert there["status"] == "preparing" and ended.manifest["status"] == "interrupted"
        sent = len(ledger)
        resumed = at.call("--config", study, "--output", "s3://bucket/runs", "--resume", run_id)
        assert resumed.status == 0, resumed.stderr
        assert len(ledger) == sent
        stored = store.below(f"bucket/runs/{run_id}/")
        assert json.loads(stored["manifest.json"])["status"] == "done" and "report.md" in stored
        assert not ended.run.exists()


@pytest.mark.long
@BOTH
def test_while_the_machine_is_calibrated(tmp_path: Path, number: int, status: int) -> None:
    with hostile(lambda asked: ANSWER) as ledger:
        at = desk(tmp_path, ledger, XDG_CACHE_HOME=str(tmp_path / "cache"))
        command = at.start_run(config(load={"concurrency": [100], "warmup_s": 0, "duration_s": 1, "min_requests": 0}))
        ended = Reading(command).signal_when("Calibrating", number)
        assert ended.status == status and NOTHING in ended.stderr, ended.stderr
        assert_quiet(ended)
        assert len(ledger) == 0 and not list(at.results.iterdir())


@BOTH
@pytest.mark.parametrize("processes", [1, 2])
def test_before_locust_listens(tmp_path: Path, number: int, status: int, processes: int) -> None:
    with hostile(lambda asked: ANSWER) as ledger:
        at = desk(tmp_path, ledger)
        command = at.start_run(config(), "--processes", str(processes))
        child_of(command)
        command.process.send_signal(number)
        ended = command.ended()
        assert ended.status == status, ended.stderr
        assert_quiet(ended)
        if NOTHING in ended.stderr:
            assert len(ledger) == 0 and not list(at.results.iterdir())
        else:
            assert trial(ended, len(ledger)).unaccounted == 0


@pytest.mark.long
@BOTH
def test_twice(tmp_path: Path, number: int, status: int) -> None:
    """The second signal does not wait for what is in flight, and costs no record."""
    load = {"concurrency": [4], "warmup_s": 0, "duration_s": 60, "min_requests": 0}
    with hostile(lambda asked: ANSWER) as ledger:
        at = desk(tmp_path, ledger)
        command = at.start_run(config(load=load), "--processes", "2")
        wait_until(lambda: len(ledger) > 20)
        command.process.send_signal(number)
        command.process.send_signal(number)
        ended = command.ended()
        assert ended.status == status, ended.stderr
        assert_quiet(ended)
        assert ended.manifest["status"] == "interrupted"
        assert trial(ended, len(ledger)).unaccounted == 0


class Finalised:
    """Something that is signalled as it goes, where Python passes no exception on."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        signal.raise_signal(self._number)


@pytest.mark.parametrize(("number", "end"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_that_comes_in_a_finalizer_is_not_lost(
    number: int, end: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(end), terminating():
        Finalised(number)
        wait_until(lambda: False, 30)
    assert capfd.readouterr().err == ""


def test_what_a_background_job_was_started_to_ignore_is_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with put_off():
            signal.raise_signal(signal.SIGINT)
        assert heeded() == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_whole_run_in_the_background_of_a_script_ignores_ctrl_c(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as such a job is started
    try:
        with hostile(lambda asked: ANSWER) as ledger:
            command = desk(tmp_path, ledger).start_run(config())
            wait_until(lambda: len(ledger) > 20)
            command.process.send_signal(signal.SIGINT)
            ended = command.ended()
            assert ended.status == 0, ended.stderr
            assert trial(ended, len(ledger)).unaccounted == 0
    finally:
        signal.signal(signal.SIGINT, before)

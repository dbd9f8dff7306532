"""A load process that hangs is not waited for without end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmbench.load import deadlines
from fmbench.load.leaving import CLOSED, OVER, Bound, bounds_of, leave_within, mark, page_bounds

HANGS = "import atexit, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); atexit.register(time.sleep, 60)"


def test_one_whose_load_is_over_is_killed_at_the_bound_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "load.json"
    with subprocess.Popen([sys.executable, "-c", f"{HANGS}; open({str(result)!r}, 'w').close()"]) as process:
        leave_within({process: [Bound("the load is over", result.exists, 0.5)]})
        assert process.wait(20) == -signal.SIGKILL
    assert "the load is over, and a load process did not end within 0.5 s: it is killed" in capsys.readouterr().err


def test_one_whose_load_goes_on_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2)"]) as process:
        leave_within({process: [Bound("never", lambda: False, 0.0)]})
        assert process.returncode == 0
    assert capsys.readouterr().err == ""


def test_several_are_waited_for_at_once() -> None:
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    first, second = subprocess.Popen(sleeps), subprocess.Popen(sleeps)
    begun = time.monotonic()
    leave_within({first: [Bound("a", lambda: True, 1.0)], second: [Bound("b", lambda: True, 1.0)]})
    assert time.monotonic() - begun < 5
    assert (first.returncode, second.returncode) == (-signal.SIGKILL, -signal.SIGKILL)


def test_a_process_of_which_only_the_page_is_left_is_waited_for_no_longer() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        leave_within({process: [Bound("over", lambda: True, 60)]}, unless=lambda: True)
        assert process.poll() is None
        process.kill()


def test_what_a_load_process_says_and_what_it_is_told_begin_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    monkeypatch.setenv("FMBENCH_SCRATCH", str(tmp_path))

    def come(result: Path | None = None) -> list[str]:
        return [bound.what for bound in bounds_of(tmp_path, heard, result) if bound.come()]

    assert come(tmp_path / "load.json") == []
    mark(OVER)
    assert come(tmp_path / "load.json") == ["its part of the load is over"]
    (tmp_path / "load.json").touch()
    assert come(tmp_path / "load.json") == ["the load is over", "its part of the load is over"]
    heard.append(15)
    assert come()[1:] == ["it was told to end"]
    assert [bound.what for bound in page_bounds(tmp_path, []) if bound.come()] == []
    mark(CLOSED)
    assert [bound.what for bound in page_bounds(tmp_path, []) if bound.come()] == ["its page was closed"]


def test_the_bounds_are_above_what_an_end_in_good_order_takes() -> None:
    assert deadlines.LEAVE_S > deadlines.FAREWELL_S
    in_order = deadlines.GRACE_S + deadlines.SLACK_S + deadlines.FAREWELL_S + deadlines.STATISTICS_WAIT_S
    of_a_worker = deadlines.GRACE_S + deadlines.GOODBYE_S + deadlines.STORE_AT_THE_END_S
    assert max(in_order, of_a_worker) < deadlines.CLOSE_S

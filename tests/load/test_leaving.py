"""A load process that hangs at its exit is not waited for without end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fmbench.load.deadlines import FAREWELL_S, LEAVE_S
from fmbench.load.leaving import leave_within

HANGS = "import atexit, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); atexit.register(time.sleep, 60)"


def test_one_whose_load_is_over_is_killed_at_the_bound_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "load.json"
    with subprocess.Popen([sys.executable, "-c", f"{HANGS}; open({str(result)!r}, 'w').close()"]) as process:
        leave_within(process, result, within_s=0.5)
        assert process.wait(20) == -signal.SIGKILL
    assert "did not end within 0.5 s: it is killed" in capsys.readouterr().err


def test_one_whose_load_goes_on_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2)"]) as process:
        leave_within(process, tmp_path / "load.json", within_s=0.0)
        assert process.returncode == 0
    assert capsys.readouterr().err == ""


def test_the_bound_is_above_what_an_end_in_good_order_takes() -> None:
    assert LEAVE_S > FAREWELL_S

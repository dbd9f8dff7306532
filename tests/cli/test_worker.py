"""A load process that finds no master: it says where it looks, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.studies import children_of, wait_for
from tests.support.emulators import free_port

ONE_TRY = """
import os
if "FMBENCH_SCRATCH" in os.environ:
    import locust.runners
    locust.runners.CONNECT_RETRY_COUNT = 0
"""
"""Locust looks for its master once, for five seconds, instead of sixty times."""

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_says_where_the_master_should_be_and_ends_as_it_is_told(tmp_path: Path, number: signal.Signals, status: int):
    port = free_port()
    where = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(port)]
    command = [sys.executable, "-m", "fmbench", *where]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert f"127.0.0.1:{port}, for up to five minutes" in process.stderr.readline()
        (locust,) = wait_for(lambda: children_of(process.pid))
        wait_for(lambda: _looks(locust))
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, stdout) == (status, "")


def test_a_master_that_never_answers_is_said(tmp_path: Path):
    (tmp_path / "cfg.yml").write_text("models: [{id: some.model}]\n")
    (tmp_path / "sitecustomize.py").write_text(ONE_TRY)
    where = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(free_port())]
    command = [sys.executable, "-m", "fmbench", "--config", str(tmp_path / "cfg.yml"), *where]
    variables = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"no master answered at 127.0.0.1:{where[-1]}" in done.stderr


def _looks(pid: int) -> bool:
    """Whether the process has threads of ZeroMQ, which it makes to look for the master."""
    return len(list(Path(f"/proc/{pid}/task").iterdir())) > 2

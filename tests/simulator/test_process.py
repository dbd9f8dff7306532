"""The endpoint as a process: it says where it listens, refuses what it cannot do, and never outlives what started it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from fmbench.core.failures import Refused
from fmbench.simulator import start
from fmbench.simulator.behaviour import Simulator

ENDPOINT = [sys.executable, "-m", "fmbench.simulator"]


def wait_until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def listens(url: str) -> bool:
    host, port = url.partition("://")[2].split(":")
    with closing(socket.socket()) as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_it_listens_while_the_context_lasts():
    with start(Simulator()) as running:
        assert running.url.startswith("http://127.0.0.1:")
        assert running.ca_bundle is None
        assert listens(running.url)
    assert not listens(running.url)
    running.stop()


def test_it_ends_when_the_process_that_started_it_is_killed():
    program = "from fmbench.simulator import start; from fmbench.simulator.behaviour import Simulator; import time\n"
    program += "print(start(Simulator()).url, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert listens(url)
        parent.kill()
    wait_until(lambda: not listens(url))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_by_a_signal_and_not_with_an_empty_stdin(number):
    with subprocess.Popen(ENDPOINT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as endpoint:
        assert endpoint.stdout is not None
        where = json.loads(endpoint.stdout.readline())
        assert listens(where["url"])
        os.kill(endpoint.pid, number)
        assert endpoint.wait(20) == 0


def test_the_authority_goes_with_it():
    with start(Simulator(tls=True)) as running:
        assert running.ca_bundle is not None
        assert os.path.exists(running.ca_bundle)
    assert not os.path.exists(running.ca_bundle)


def test_a_port_that_is_taken_is_refused(capfd):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match="did not start"):
            start(Simulator(), port=port)
    assert f"cannot listen on 127.0.0.1:{port}" in capfd.readouterr().err


@pytest.mark.parametrize("config", ['{"profil": {}}', "{", "no-such-file.yml"])
def test_a_configuration_that_cannot_be_used_is_refused(config):
    done = subprocess.run([*ENDPOINT, "--config", config], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_bearer_key_is_in_no_command_line():
    with start(Simulator(bearer_key="canary-key")) as running, open(f"/proc/{running.pid}/cmdline", "rb") as command:
        assert b"canary-key" not in command.read()

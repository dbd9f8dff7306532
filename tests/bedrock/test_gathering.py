"""Reads are gathered while many answers are read, and what is not stamped by the kernel is never late for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fmbench.bedrock.gathering import ENOUGH, Gathering
from fmbench.simulator.tls import make_authority
from tests.bedrock.kernel_server import kernel_server

_CLIENT = """
from gevent import monkey; monkey.patch_all()
import gevent, json, sys
from fmbench.bedrock import arrivals, wait_gevent
from tests.bedrock.asking import Ask, SALT, caller_for, prompt
if sys.argv[3] == "unstamped":
    arrivals.stamp_socket = lambda raw: False
caller = caller_for(Ask(sys.argv[1], sys.argv[4] or None))
prepared = caller.prepare(prompt(), salted=True)
gathering, seen = wait_gevent._gathering(gevent.get_hub()), set()
def look():
    while True:
        seen.add(gathering.on)
        gevent.sleep(0.002)
gevent.spawn(look)
jobs = [gevent.spawn(lambda: [caller.call(prepared, SALT) for _ in range(3)]) for _ in range(int(sys.argv[2]))]
gevent.joinall(jobs, raise_error=True)
failed = [exchange.failure for job in jobs for exchange in job.value if exchange.failure]
print(json.dumps({"failed": failed, "gathered": True in seen, "still": gathering.on}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's stamps are Linux's")
@pytest.mark.parametrize(
    ("streams", "stamped", "secure", "gathered"),
    [
        (ENOUGH + 4, "stamped", False, True),
        (ENOUGH + 4, "stamped", True, True),
        (4, "stamped", False, False),
        (ENOUGH + 4, "unstamped", False, False),
        (ENOUGH + 4, "unstamped", True, False),
    ],
)
def test_reads_are_gathered_only_while_many_stamped_answers_are_read(
    streams: int, stamped: str, secure: bool, gathered: bool, tmp_path: Path
) -> None:
    authority, context = make_authority(tmp_path, "127.0.0.1")
    with kernel_server(context if secure else None) as server:
        command = [sys.executable, "-c", _CLIENT, server.url, str(streams), stamped, str(authority) if secure else ""]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert len(server.ttft_s) == 3 * streams
    assert json.loads(done.stdout) == {"failed": [], "gathered": gathered, "still": False}, done.stderr


def _gathering(monkeypatch: pytest.MonkeyPatch) -> tuple[Gathering, list[tuple[int, float]]]:
    """A gathering of a loop whose intervals are noted."""
    noted: list[tuple[int, float]] = []
    monkeypatch.setattr("fmbench.bedrock.gathering._libev_of", lambda loop: lambda *given: noted.append(given))
    return Gathering(SimpleNamespace(ptr=7)), noted


def test_a_connection_that_is_made_meanwhile_is_timed_without_a_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    gathering, noted = _gathering(monkeypatch)
    for _ in range(ENOUGH):
        gathering.begin(stamped=True)
    with gathering.paused():
        assert not gathering.on
    gathering.end(stamped=True)
    assert noted == [(7, 0.001), (7, 0.0), (7, 0.001), (7, 0.0)]


def test_one_answer_without_stamps_is_enough_to_wake_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    gathering, noted = _gathering(monkeypatch)
    gathering.begin(stamped=False)
    for _ in range(2 * ENOUGH):
        gathering.begin(stamped=True)
    assert (gathering.on, noted) == (False, [])
    gathering.end(stamped=False)
    assert (gathering.on, noted) == (True, [(7, 0.001)])


def test_a_loop_without_such_an_interval_wakes_for_each_event() -> None:
    gathering = Gathering(SimpleNamespace(ptr=7))
    for _ in range(2 * ENOUGH):
        gathering.begin(stamped=True)
    assert not gathering.on


_TURNS = """
from gevent import monkey; monkey.patch_all()
import collections, gevent, sys
from fmbench.bedrock import wait_gevent
hub, passed, order = gevent.get_hub(), collections.Counter(), []
wait_gevent._gathering(hub).on = sys.argv[1] == "gathered"
def step(number):
    wait_gevent.turn()
    passed[hub.loop.iteration] += 1
    order.append(number)
gevent.joinall([gevent.spawn(step, number) for number in range(20)], raise_error=True)
print(max(passed.values()), order == list(range(20)))
"""


@pytest.mark.parametrize(("reads", "most"), [("one by one", 1), ("gathered", 2)])
def test_heavy_steps_go_one_an_iteration_and_two_while_reads_are_gathered_first_come_first_served(reads: str, most: int) -> None:
    done = subprocess.run([sys.executable, "-c", _TURNS, reads], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == [str(most), "True"], done.stderr

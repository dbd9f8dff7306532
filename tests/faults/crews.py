"""Faults of a run over several workers, strangers at its master's port, and signals at any moment."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import pytest
import zmq

from fmbench.load.deadlines import MASTER_LOST_S
from tests.distributed.machines import Machine, Machines
from tests.e2e.commands import Ended, load_processes, wait_until
from tests.faults.hostile import Ledger, hostile
from tests.faults.processes import slowly
from tests.faults.trials import KEYS, Trial, config, desk, fault, trial

NOTHING = "before the first request; nothing was kept."
TWO_CELLS = {"concurrency": [4, 6], "warmup_s": 0, "duration_s": 3, "min_requests": 0}


@dataclass
class Crew:
    """A master and its workers, whose run folder is on this machine."""

    machines: Machines
    ledger: Ledger
    master: Machine
    workers: list[Machine] = field(default_factory=list)

    def join(self, count: int = 1) -> None:
        """Start further workers."""
        self.workers += self.machines.workers(count)

    def sends(self, more: int) -> None:
        """Wait until the endpoint has seen so many requests more."""
        seen = len(self.ledger)
        wait_until(lambda: len(self.ledger) >= seen + more or self.master.process.poll() is not None, 120)

    def trial(self, *statuses: int) -> Trial:
        """The trial, when the master is done, with one of these statuses."""
        return trial(self.ended(*statuses), len(self.ledger))

    def stop_worker(self) -> int:
        """Have the first worker stand still in the middle of its load; the process that does."""
        self.sends(40)
        stopped = load_processes(self.workers[0].process.pid)[-1]
        os.kill(stopped, signal.SIGSTOP)
        return stopped

    def ended(self, *statuses: int) -> Ended:
        """The master, when it is done, with one of these statuses and every cell measured."""
        done = self.master.ended()
        ended = Ended(done.status, done.stdout, done.stderr)
        assert ended.status in statuses, ended.stderr
        assert "Traceback" not in ended.stderr, ended.stderr
        last = {line["cell"]: line["status"] for line in ended.manifest["cells"]}
        assert set(last.values()) == {"complete"}, ended.stderr
        return ended


@contextmanager
def crew(place: Path, workers: int) -> Iterator[Crew]:
    """Two cells by so many workers, against an endpoint that counts; nobody is left when it is over."""
    with hostile(slowly) as ledger:
        machines = Machines(place, "", ledger.url)
        machines.variables = KEYS | {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": ledger.url}
        master = machines.master(config(load=TWO_CELLS, output=str(place / "results")), workers)
        found = Crew(machines, ledger, master)
        try:
            found.join(workers)
            yield found
        finally:
            machines.end_all()


@fault("a worker is killed, and another joins a second later")
def worker_replaced(place: Path) -> Trial:
    with crew(place, 2) as found:
        found.sends(40)
        found.workers[0].kill()
        time.sleep(1)  # as Kubernetes and ECS restart it
        found.join()
        return found.trial(5)


@fault("every worker is killed and replaced, one after the other")
def all_replaced(place: Path) -> Trial:
    with crew(place, 2) as found:
        found.sends(40)
        for worker in list(found.workers):
            worker.kill()
            found.join()
            found.sends(40)
        return found.trial(5)


@fault("a worker stands still until the run is over, and goes on then")
def late_worker(place: Path) -> Trial:
    with crew(place, 2) as found:
        stopped = found.stop_worker()
        ended = found.ended(5)
        assert f"(process {stopped} on " in ended.stderr and "which does not answer" in ended.stderr, ended.stderr
        sent = len(found.ledger)
        os.kill(stopped, signal.SIGCONT)
        assert found.workers[0].ended().status == 5
        assert len(found.ledger) <= sent + 1, "after the run it sends nothing but what it was about to send when it was stopped"
        assert found.machines.call("report", str(ended.run)).status == 0, "which adds what it had sent"
        return trial(ended, len(found.ledger))


@fault("a worker stands still, its master is killed, and the worker goes on")
def orphaned(place: Path) -> Trial:
    with crew(place, 1) as found:
        stopped = found.stop_worker()
        found.master.kill()
        time.sleep(MASTER_LOST_S + 0.5)  # the fault itself
        sent = len(found.ledger)
        os.kill(stopped, signal.SIGCONT)
        done = found.workers[0].ended()
        assert done.status == 5 and len(found.ledger) <= sent + 1, "nothing but what it was about to send when it was stopped"
        (run,) = (place / "results").iterdir()
        assert found.machines.call("report", str(run)).status == 0
        return trial(Ended(done.status, done.stdout, done.stderr), len(found.ledger), run)


@fault("strangers at the master's port")
def strangers(place: Path) -> Trial:
    with crew(place, 1) as found, zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        port = int(found.machines.port)
        found.sends(20)
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.identity = b"stranger"
        stranger.connect(f"tcp://127.0.0.1:{port}")
        said: tuple[object, ...] = (("client_ready", version("locust"), "me"), ("client_ready", None, "me"), {}, [], 7)
        for message in said:
            stranger.send(pytest.importorskip("msgpack").dumps(message))
        stranger.send(b"\xff\xff")
        lines = [_knock(port, text) for text in (b"\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\xff" + bytes(9) + b"\x7f", b"")]
        result = found.trial(0)
        for line in lines:
            line.close()
        return result


def _knock(port: int, text: bytes) -> socket.socket:
    """A connection that says this, and stays."""
    line = socket.create_connection(("127.0.0.1", port))
    with suppress(OSError):
        line.sendall(text)
    return line


@fault("a signal at any moment of a run, once or twice")
def signal_at_any_moment(place: Path) -> Trial:
    at_s, number, twice = random.uniform(0, 8), random.choice((signal.SIGINT, signal.SIGTERM)), random.random() < 0.5
    drawn = f"{signal.Signals(number).name} after {at_s:.3f} s, {'twice' if twice else 'once'}"
    with hostile(slowly) as ledger:
        command = desk(place, ledger).start_run(config(), "--processes", "2")
        time.sleep(at_s)  # the fault itself
        for _ in range(1 + twice):
            command.process.send_signal(number)
        ended = command.ended()
        if ended.status == -number:  # Python itself was still starting
            assert not len(ledger), f"{drawn}: {ended}"
            return Trial(0, 0, 128 + number)
        assert ended.status in (0, 128 + number), f"{drawn}: {ended}"
        assert "Traceback" not in ended.stderr and "KeyboardInterrupt" not in ended.stderr, f"{drawn}: {ended}"
        if not ended.stdout.strip():
            assert ended.stderr.count("\n") <= 1 or NOTHING in ended.stderr, f"{drawn}: {ended}"
            assert not len(ledger), f"{drawn}: {ended}"
            return Trial(0, 0, ended.status)
        return trial(ended, len(ledger))

"""What happens to a run by a seed: load processes are killed, ended and stopped, the endpoint's weather changes, S3 fails."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from random import Random

from tests.distributed.machines import Machine, Machines, below
from tests.faults.store import LOST_ANSWER, PRECONDITION, SLOW_DOWN, FailingStore
from tests.faults.weather import WEATHERS, Endpoint

OUTAGES: tuple[dict[str, float], ...] = ({}, {SLOW_DOWN: 0.5}, {LOST_ANSWER: 0.3}, {PRECONDITION: 0.1, SLOW_DOWN: 0.2})


class Nemesis:
    """Does something to somebody every few seconds, by its seed."""

    def __init__(self, seed: str, done: Counter[str], machines: Machines, at: Endpoint, store: FailingStore) -> None:
        self._random = Random(f"{seed}:nemesis")
        self._done, self._machines, self._endpoint, self._store = done, machines, at, store
        self._stopped: dict[int, float] = {}
        self.workers: list[Machine] = []

    def strike(self) -> None:
        """One fault. The first worker is never killed, so that its memory is seen for the whole time."""
        what = self._random.choice(("kill", "term", "stop", "stop", "weather", "weather", "weather", "store", "store", "calm"))
        self._done[what] += 1
        if what in ("kill", "term"):
            self._replace(self._random.randrange(1, len(self.workers)), what)
        elif what == "stop":
            self._stop(self.workers[self._random.randrange(len(self.workers))])
        elif what == "store":
            self._outage(self._random.choice(OUTAGES))
        else:
            self._endpoint.weather = {} if what == "calm" else self._random.choice(WEATHERS)

    def _replace(self, number: int, how: str) -> None:
        """As Kubernetes does: what ends is started again."""
        machine = self.workers[number]
        if how == "kill":
            machine.kill()
        else:
            machine.process.send_signal(signal.SIGTERM)
        self.workers[number] = self._machines.workers(1)[0]

    def _stop(self, machine: Machine) -> None:
        for pid in below(machine.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self._stopped[pid] = time.monotonic() + self._random.uniform(1, 6)

    def release(self, everybody: bool = False) -> None:
        """Let those go on that stood still for long enough."""
        for pid, until in list(self._stopped.items()):
            if everybody or time.monotonic() > until:
                del self._stopped[pid]
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _outage(self, shares: dict[str, float]) -> None:
        chance = Random(self._random.random())

        def outage(method: str, key: str) -> str | None:
            draw = chance.random()
            for word, share in shares.items():
                draw -= share
                if draw < 0 and (word != PRECONDITION or method == "PUT"):
                    return word
            return None

        self._store.outage = outage

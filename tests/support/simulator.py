"""The simulator for tests: a real process, and a client for its ledger.

Use the fixture ``simulator`` (put ``from tests.support.simulator import simulator`` into the test module, or name
``tests.support.simulator`` in ``pytest_plugins``)::

    def test_a_thing(simulator):
        endpoint = simulator({"profile": {"ttft_s": 0.05}})
        endpoint.url, endpoint.ca_bundle
        endpoint.ledger()     # a dict a request
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from fmbench.simulator import RunningSimulator, start
from fmbench.simulator.behaviour import Simulator


class Endpoint:
    """A running endpoint and what it knows."""

    def __init__(self, running: RunningSimulator) -> None:
        self.running = running
        self.url = running.url
        self.ca_bundle = running.ca_bundle
        self.closing = ExitStack()
        """What ends with the endpoint: clients put themselves here."""

    def ledger(self, since: int = 0) -> list[dict[str, Any]]:
        """The rows of requests numbered above ``since``, in the order of their arrival."""
        return [json.loads(line) for line in self._ask("GET", f"ledger?since={since}").splitlines()]

    def counts(self) -> dict[str, Any]:
        """The sums over all rows."""
        return dict(json.loads(self._ask("GET", "counts")))

    def reset(self) -> None:
        """Forget all rows and start the models' draws again."""
        self._ask("POST", "reset")

    def settled(self, requests: int, within_s: float = 10.0) -> list[dict[str, Any]]:
        """The rows, once there are at least ``requests`` of them and none is in flight."""
        deadline = time.monotonic() + within_s
        while True:
            counts = self.counts()
            if counts["requests"] >= requests and counts["in_flight"] == 0:
                return self.ledger()
            assert time.monotonic() < deadline, f"still {counts}"
            time.sleep(0.01)

    def _ask(self, method: str, page: str) -> bytes:
        request = urllib.request.Request(f"{self.url}/_simulator/{page}", method=method)
        context = ssl.create_default_context(cafile=self.ca_bundle) if self.ca_bundle else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=30) as answer:
            return bytes(answer.read())


@contextmanager
def running(config: dict[str, Any]) -> Iterator[Endpoint]:
    """An endpoint of this configuration (as under ``simulator:``), for as long as the context lasts."""
    with start(Simulator.model_validate(config)) as process:
        endpoint = Endpoint(process)
        with endpoint.closing:
            yield endpoint


@pytest.fixture
def simulator() -> Iterator[Callable[[dict[str, Any]], Endpoint]]:
    """Starts endpoints by their configuration; they end with the test."""
    with ExitStack() as stack:
        yield lambda config: stack.enter_context(running(config))

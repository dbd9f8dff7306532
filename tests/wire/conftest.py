"""What wire tests share: who asks, with plain sockets and under gevent; and a module's simulator (``FAST``, ``MODELS``), whose
ledger is empty before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bedrock.asking import Asker, here, patched_process
from tests.support.simulator import Endpoint, running


@pytest.fixture(scope="module")
def one_endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    with running({"profile": request.module.FAST, "models": request.module.MODELS}) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(one_endpoint: Endpoint) -> Endpoint:
    one_endpoint.reset()
    return one_endpoint


@pytest.fixture(scope="module")
def patched() -> Iterator[Asker]:
    with patched_process() as process:
        yield process


@pytest.fixture(params=["plain", "gevent"])
def ask(request: pytest.FixtureRequest) -> Asker:
    return here if request.param == "plain" else request.getfixturevalue("patched")

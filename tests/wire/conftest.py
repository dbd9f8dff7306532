"""The simulator of a module of wire tests: its ``FAST`` profile, its ``MODELS``; the ledger is empty before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.simulator import Endpoint, running


@pytest.fixture(scope="module")
def one_endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    with running({"profile": request.module.FAST, "models": request.module.MODELS}) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(one_endpoint: Endpoint) -> Endpoint:
    one_endpoint.reset()
    return one_endpoint

"""A desk to start commands from, and an endpoint that belongs to the test: its ledger is the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Desk
from tests.support.emulators import make_bucket, ministack
from tests.support.simulator import Endpoint, running

QUICK = {"profile": {"ttft_s": 0.03, "tpot_s": 0.002}}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Commands that find no endpoint but those that a test names."""
    return Desk(tmp_path, {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:9"})


@pytest.fixture
def endpoint(desk: Desk) -> Iterator[Endpoint]:
    """A quick endpoint that the desk's commands call."""
    with running(QUICK) as found:
        desk.variables["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = found.url
        yield found


@pytest.fixture
def endpoint_of(desk: Desk) -> Iterator[Callable[[dict[str, Any]], Endpoint]]:
    """Starts an endpoint of a configuration; the desk's commands call it."""
    contexts = []

    def start(config: dict[str, Any]) -> Endpoint:
        contexts.append(running(config))
        found = contexts[-1].__enter__()
        desk.variables["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = found.url
        return found

    yield start
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MiniStack, with a bucket ``bucket``."""
    with ministack(tmp_path_factory.mktemp("ministack")) as url:
        make_bucket(url, "bucket")
        yield url

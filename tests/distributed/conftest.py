"""Processes that share no disk, as on several machines: each with a scratch folder of its own, S3 between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.distributed.machines import Machines
from tests.support.emulators import make_bucket, ministack
from tests.support.simulator import Endpoint, running

QUICK = {"profile": {"ttft_s": 0.03, "tpot_s": 0.002, "output_tokens": 10}}


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MiniStack, with a bucket ``bucket``."""
    with ministack(tmp_path_factory.mktemp("ministack")) as url:
        make_bucket(url, "bucket")
        yield url


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A quick endpoint: its ledger is the oracle."""
    with running(QUICK) as found:
        yield found


@pytest.fixture
def machines(tmp_path: Path, aws_server: str, endpoint: Endpoint) -> Iterator[Machines]:
    """Starts a master and workers; none of them outlives the test."""
    made = Machines(tmp_path, aws_server, endpoint.url)
    yield made
    made.end_all()


@pytest.fixture
def study(machines: Machines) -> Callable[..., dict[str, Any]]:
    """A small study; keywords are keys of its ``load``."""

    def made(**load: Any) -> dict[str, Any]:
        return {
            "name": "many",
            "models": [{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}],
            "region": "us-east-1",
            "inference": {"max_tokens": 12},
            "dataset": {"buckets": ["100-300"], "prompts_per_bucket": 6},
            "load": {"concurrency": [1, 4, 10], "warmup_s": 0.3, "duration_s": 1, "min_requests": 0} | load,
        }

    return made

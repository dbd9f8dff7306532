"""The budget stays hard over a crash: what a killed run had sent counts when it is resumed."""

from __future__ import annotations

import pytest

from tests.e2e.commands import Desk, small_config, wait_until
from tests.support.simulator import Endpoint

pytestmark = pytest.mark.slow

MOST = 60


def test_requests_of_a_killed_session_count(desk: Desk, endpoint: Endpoint):
    load = {"concurrency": [2, 4], "warmup_s": 0, "duration_s": 6, "min_requests": 0}
    command = desk.start_run(small_config(load=load, budget={"max_requests": MOST}))
    wait_until(lambda: endpoint.counts()["requests"] >= MOST // 3)
    command.process.kill()
    command.ended()
    wait_until(lambda: endpoint.counts()["in_flight"] == 0)
    sent = endpoint.counts()["requests"]
    assert MOST // 3 <= sent < MOST, "the run was killed too late to show anything"

    run_id = next(desk.results.iterdir()).name
    again = desk.call("--config", str(desk.folder / "cfg.yml"), "--output", str(desk.results), "--resume", run_id)
    assert again.status in (4, 5), again.stderr
    assert again.manifest["ended"] == "budget"
    assert sent < endpoint.counts()["requests"] <= MOST
    assert len(again.records()) == endpoint.counts()["requests"]

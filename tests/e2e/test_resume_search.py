"""A search that was cut goes on where it was: what its levels have shown is kept, and the limit is that of the simulator."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.commands import Desk, small_config, wait_until
from tests.support.simulator import Endpoint

pytestmark = [pytest.mark.slow, pytest.mark.long]

QUEUE = {"profile": {"ttft_s": 0.2, "tpot_s": 0.0, "output_tokens": 1, "slots": 3}}
"""Three at a time, 0.2 s each: with N users an answer takes N / 15 s, so that 6 users keep 0.43 s, and 7 do not."""
LOAD = {
    "search": {"of": "users", "from": 1, "to": 32, "most_requests": 300},
    "warmup_s": 0.5,
    "duration_s": 1.5,
    "max_duration_s": 8,
}
MODELS = [{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}]


def complete(desk: Desk) -> list[dict[str, Any]]:
    lines = [json.loads(line) for path in desk.results.glob("*/cells.jsonl") for line in path.read_text().splitlines()]
    return [line for line in lines if line["status"] == "complete"]


def test_a_cut_search_goes_on_to_its_limit(desk: Desk, endpoint_of: Callable[[dict[str, Any]], Endpoint]) -> None:
    endpoint = endpoint_of(QUEUE)
    objectives = {"e2e_p50_s": 0.433, "error_rate": 0.5}
    command = desk.start_run(small_config(models=MODELS, load=LOAD, objectives=objectives))
    wait_until(lambda: len(complete(desk)) >= 3 or command.process.poll() is not None, 120)
    command.process.send_signal(signal.SIGINT)
    first = command.ended()
    assert first.status == 130, first.stderr
    (cut,) = first.json("summary.json")["search"]
    assert cut["finished"] is False and cut["limit"] is None and len(cut["steps"]) == len(complete(desk)) >= 3

    second = desk.call("--config", str(desk.folder / "cfg.yml"), "--output", str(desk.results), "--resume", first.run.name)
    assert second.status == 0, second.stderr
    (found,) = second.json("summary.json")["search"]
    assert found["finished"] is True and 5 <= found["limit"] <= 7, found
    assert found["steps"][: len(cut["steps"])] == cut["steps"], "what was shown is not measured again"
    records = second.records()
    assert len(records) == len(endpoint.ledger()) and not records.duplicated(["run_id", "worker", "user", "seq"]).any()
    assert "## The limits that were searched for" in (second.run / "report.md").read_text()
    assert (second.run / "plots" / "search.png").exists()

"""What is done with stored runs: comparisons, and scores of the answers."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.e2e.commands import Desk, Ended, small_config

pytestmark = pytest.mark.slow

LOAD = {"concurrency": [4], "warmup_s": 0.3, "duration_s": 4, "min_requests": 0}
ONE_MODEL = [{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}]


def measured(desk: Desk, endpoint_of: Any, ttft_s: float) -> Ended:
    endpoint_of({"profile": {"ttft_s": ttft_s, "tpot_s": 0.001, "jitter": 0.05}})
    ended = desk.run(small_config(models=ONE_MODEL, load=LOAD))
    assert ended.status == 0, ended.stderr
    return ended


def test_6_a_run_that_is_slower_than_allowed(desk: Desk, endpoint_of: Any):
    fast, slow = measured(desk, endpoint_of, 0.05), measured(desk, endpoint_of, 0.08)
    worse = desk.call("compare", str(fast.run), str(slow.run), "--fail-on", "ttft_p50 +10%")
    assert worse.status == 6, worse.stderr
    assert worse.stdout.startswith(f"# {slow.run.name} against {fast.run.name}")
    better = desk.call("compare", str(slow.run), str(fast.run), "--fail-on", "ttft_p50 +10%", "--json")
    assert better.status == 0, better.stderr
    found = json.loads(better.stdout)
    assert found["regression"] is False
    (change,) = [change for change in found["cells"][0]["changes"] if change["figure"] == "ttft_p50"]
    assert change["change"] == pytest.approx(50 / 80 - 1, abs=0.1)
    assert desk.call("compare", str(fast.run), str(slow.run), "--fail-on", "ttft_p50").status == 2


def test_answers_are_scored_when_the_configuration_asks_for_quality(desk: Desk, endpoint_of: Any):
    endpoint_of({"profile": {"ttft_s": 0.005, "tpot_s": 0.0005, "accuracy": 0.7}})
    config = small_config(models=ONE_MODEL, load=LOAD, quality=True, inference={"max_tokens": 64})
    config["dataset"] = {"buckets": ["500-1000"], "prompts_per_bucket": 200}
    ended = desk.run(config)
    assert ended.status == 0, ended.stderr
    records = ended.records()
    answers = [json.loads(line) for path in (ended.run / "answers").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert Counter(answer["prompt_id"] for answer in answers) == Counter(records.prompt_id)
    (cell,) = ended.json("summary.json")["cells"]
    assert 0.55 < cell["quality"]["value"] < 0.9
    assert "text" not in records.columns
    plain = desk.run(config | {"quality": False})
    assert not (plain.run / "answers").exists()
    assert plain.json("summary.json")["cells"][0]["quality"] is None

"""``models[].routes`` from the configuration to the report's sentence, against an endpoint whose tiers differ as it is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.commands import Desk, small_config

pytestmark = pytest.mark.slow

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ROUTES = [{"service_tier": "default"}, {"service_tier": "priority"}, {"service_tier": "flex", "label": "downgraded"}]


def test_what_tiers_differ_in_is_found_and_said(desk: Desk, endpoint_of: Any) -> None:
    endpoint_of({"profile": {"ttft_s": 0.12, "tpot_s": 0.001, "jitter": 0.2, "output_tokens": 8, "speeds": {"priority": 2}}})
    price = {"input": 1, "output": 2, "cases": [{"tier": "priority", "input": 1.75, "output": 3.5}]}
    ended = desk.run(
        small_config(
            models=[{"id": "us.amazon.nova-lite-v1:0", "label": "nova", "routes": ROUTES}],
            load={"concurrency": [5], "warmup_s": 0.3, "duration_s": 1.5, "min_requests": 40},
            dataset={"buckets": ["100-300"], "prompts_per_bucket": 10},
            pricing={"nova": price},
        )
    )
    assert ended.status == 0, ended.stderr
    records, summary = ended.records(), ended.json("summary.json")
    assert set(records.route) == {"default", "priority", "downgraded"}
    assert records.groupby("route").service_tier_asked.agg(set).to_dict() == {
        "default": {"default"},
        "priority": {"priority"},
        "downgraded": {"flex"},
    }
    assert {cell["route"] for cell in summary["cells"]} == set(records.route)
    found = {(each["route_b"], each["figure"]): each for each in summary["routes"]}
    median = found["priority", "ttft_p50_s"]
    assert median["differs"]
    assert median["ci95"][0] - 0.01 <= -0.06 <= median["ci95"][1] + 0.01, "half of 0.12 s"
    assert not found["downgraded", "ttft_p50_s"]["differs"]
    assert set(summary["spend"]["by_model"]) == {"nova (default)", "nova (priority)", "nova (downgraded)"}
    report = (ended.run / "report.md").read_text()
    assert "## Routes side by side" in report
    assert "**priority** against default" in report
    assert "faster to the first token" in report


def test_no_route_reads_what_another_wrote_into_the_cache(desk: Desk, endpoint_of: Any) -> None:
    """Two routes send the same 4 prompts; each writes each of them itself before it reads it."""
    endpoint_of({"profile": {"ttft_s": 0.02, "tpot_s": 0.001, "output_tokens": 4, "cache": "points"}})
    ended = desk.run(
        small_config(
            models=[{"id": CLAUDE, "label": "claude", "routes": [{"cache": "5m"}, {"cache": "1h"}]}],
            load={"concurrency": [1], "warmup_s": 0, "duration_s": 1, "min_requests": 12, "repeats": 1},
            dataset={"buckets": ["2000-3000"], "prompts_per_bucket": 4},
        )
    )
    assert ended.status == 0, ended.stderr
    records = ended.records().sort_values("sent_at")
    for route, hour in (("cache 5m", False), ("cache 1h", True)):
        of_route = records[records.route == route].groupby("prompt_id")
        first, last = of_route.nth(0), of_route.nth(-1)
        assert len(first) == 4
        assert (first.cache_read_tokens.fillna(0) == 0).all() and (first.cache_write_tokens > 0).all()
        assert ((first.cache_write_1h_tokens.fillna(0) > 0) == hour).all()
        assert (last.cache_read_tokens > 0).all()

"""``load.search: {of: quota}``: a whole run finds the quota of requests that the endpoint hides, in minutes of ten seconds.

How often all of it is found right is measured by benchmarks/quota: in minutes so short a busy machine blurs the rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.commands import Desk, small_config

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timing]

MINUTE_S = 10


def test_a_hidden_quota_is_found(desk: Desk, endpoint_of: Any) -> None:
    quota = {"requests_per_minute": 100, "tokens_per_minute": 90_000, "burndown": 5, "window": "rolling", "minute_s": MINUTE_S}
    endpoint_of({"profile": {"ttft_s": 0.4, "tpot_s": 0.001, "output_tokens": 5, "quota": quota}})
    ended = desk.run(
        small_config(
            models=[{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}],
            load={"search": {"of": "quota", "minute_s": MINUTE_S}},
            inference={"max_tokens": 2000},
        )
    )
    assert ended.status == 0, ended.stderr
    (found,) = ended.json("summary.json")["search"]
    quotas = found["quota"]
    assert quotas["requests_per_min"]["per_minute"] == pytest.approx(100, rel=0.05)
    assert quotas["throttled_by"] == ["requests", "tokens"]
    assert (found["finished"], len(ended.records())) == (True, found["requests"])
    assert "throttled from" in (ended.run / "report.md").read_text()

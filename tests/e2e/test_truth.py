"""The report says what is true of an endpoint whose behaviour was set beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.commands import Desk, small_config

pytestmark = [pytest.mark.slow, pytest.mark.timing]


@pytest.mark.parametrize(("ttft_s", "tpot_s"), [(0.2, 0.02), (0.08, 0.005)])
def test_known_latencies_are_reported_within_five_milliseconds(desk: Desk, endpoint_of: Any, ttft_s: float, tpot_s: float):
    endpoint_of({"profile": {"ttft_s": ttft_s, "tpot_s": tpot_s}})
    tokens = 20
    config = small_config(
        models=[{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}],
        inference={"max_tokens": tokens},
        load={"concurrency": [8], "warmup_s": 1, "duration_s": 8, "min_requests": 100},
    )
    ended = desk.run(config)
    assert ended.status == 0, ended.stderr
    (cell,) = ended.json("summary.json")["cells"]
    assert cell["concurrency"] == 8
    assert cell["ttft_s"]["n"] == cell["ok"] >= 100
    assert cell["ttft_s"]["p50"] == pytest.approx(ttft_s, abs=0.005)
    assert cell["tpot_s"]["p50"] == pytest.approx(tpot_s, abs=0.005 / (tokens - 1))
    assert cell["e2e_s"]["p50"] == pytest.approx(ttft_s + tpot_s * (tokens - 1), abs=0.005)
    assert cell["output_tokens_mean"] == tokens
    assert cell["achieved_concurrency"] == pytest.approx(8, abs=0.4)

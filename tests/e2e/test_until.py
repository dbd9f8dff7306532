"""``load.until: decided``: windows end when every objective is met or not met, and go on to their cap when they are not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.commands import Desk, Ended, small_config

pytestmark = pytest.mark.slow

SHORTEST_S, CAP_S = 2.0, 10.0
MEDIAN_S = 0.1
"""The endpoint's TTFT; half of its answers come within it, as a log-normal has its median there."""


def windows(ended: Ended) -> dict[str, float]:
    """Model → seconds of its measured window."""
    return {cell["model"]: cell["drain_at"] - cell["measure_at"] for cell in ended.manifest["cells"]}


def study(limit: dict[str, float], *models: str, **load: Any) -> dict[str, Any]:
    return small_config(
        models=[{"id": model} for model in models or ("us.amazon.nova-lite-v1:0",)],
        inference={"max_tokens": 4},
        load={
            "concurrency": [8],
            "warmup_s": 0.3,
            "duration_s": SHORTEST_S,
            "max_duration_s": CAP_S,
            "min_requests": 0,
            "until": "decided",
            **load,
        },
        objectives={"error_rate": 1.0, **limit},
    )


@pytest.mark.parametrize("arguments", [(), ("--processes", "2")], ids=["one process", "two processes"])
@pytest.mark.parametrize(("limit", "status"), [(1.0, "met"), (0.03, "not_met")])
def test_what_is_clear_is_decided_early(desk: Desk, endpoint_of: Any, limit: float, status: str, arguments: tuple[str, ...]):
    endpoint_of({"profile": {"ttft_s": MEDIAN_S, "tpot_s": 0.001, "jitter": 0.3}})
    ended = desk.run(study({"ttft_p50_s": limit}), *arguments)
    assert ended.status == 0, ended.stderr
    (window_s,) = windows(ended).values()
    assert SHORTEST_S <= window_s < 0.7 * CAP_S
    (cell,) = ended.json("summary.json")["cells"]
    within = (ended.records().ttft_s <= limit).mean()
    assert within in (0.0, 1.0)
    assert cell["requests"] > 20
    (judged,) = [item for item in cell["objectives"] if item["objective"] == "ttft_p50_s"]
    assert judged["status"] == status or judged["why"], judged


def test_what_is_on_its_limit_is_measured_to_the_cap(desk: Desk, endpoint_of: Any):
    """Every other answer of the one model is late: exactly half are within the limit, and no number of requests would decide."""
    clear, borderline = "us.amazon.nova-lite-v1:0", "us.meta.llama3-3-70b-instruct-v1:0"
    late = {"kind": "stall_before_response", "at": [*range(2, 4000, 2)], "seconds": 0.8}
    endpoint_of({"profile": {"ttft_s": 0.02, "tpot_s": 0.001}, "models": {borderline: {"faults": [late]}}})
    ended = desk.run(study({"ttft_p50_s": 0.4}, clear, borderline))
    assert ended.status == 0, ended.stderr
    rows = ended.records()
    assert set(rows.outcome) == {"ok"}
    assert (rows[rows.model == borderline].ttft_s <= 0.4).mean() == pytest.approx(0.5, abs=0.05)
    found = windows(ended)
    assert SHORTEST_S <= found[clear] < 0.7 * CAP_S
    assert CAP_S <= found[borderline] < CAP_S + 5
    cells = {cell["model"]: cell["objectives"] for cell in ended.json("summary.json")["cells"]}
    (judged,) = [item for item in cells[borderline] if item["objective"] == "ttft_p50_s"]
    assert judged["status"] == "undecided"


def test_a_fixed_window_waits_for_nothing(desk: Desk, endpoint_of: Any):
    late = {"kind": "stall_before_response", "at": [*range(2, 4000, 2)], "seconds": 0.8}
    endpoint_of({"profile": {"ttft_s": 0.02, "tpot_s": 0.001, "faults": [late]}})
    ended = desk.run(study({"ttft_p50_s": 0.4}, until="fixed"))
    (window_s,) = windows(ended).values()
    assert SHORTEST_S <= window_s < 0.7 * CAP_S

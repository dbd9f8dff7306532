"""``load.order: interleaved`` and ``load.repeats``: models take turns; what differs from turn to turn bounds what is known."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.commands import Desk, small_config

pytestmark = pytest.mark.slow

REPEATS = 5
MODELS = ("nova", "llama")


def test_models_take_turns_and_their_repeats_are_pooled(desk: Desk, endpoint_of: Any):
    endpoint = endpoint_of({"profile": {"ttft_s": 0.02, "tpot_s": 0.001, "jitter": 0.2}})
    load = {"concurrency": [3], "warmup_s": 0, "duration_s": 0.7, "min_requests": 0, "order": "interleaved", "repeats": REPEATS}
    ended = desk.run(small_config(load=load))
    assert ended.status == 0, ended.stderr

    lines = sorted(ended.manifest["cells"], key=lambda line: line["started_at"])
    order = [(line["block"], line["model"]) for line in lines]
    assert order == [(block, model) for block in range(REPEATS) for model in (MODELS if block % 2 == 0 else MODELS[::-1])]
    assert all(first["drain_at"] <= second["measure_at"] for first, second in pairwise(lines))
    asked = [row["model"] for row in sorted(endpoint.ledger(), key=lambda row: row["received_at"])]
    turns = sum(one != other for one, other in pairwise(asked))
    assert turns == REPEATS, "two models in the order ABBAABBA…: they change places once a repeat"

    records = ended.records()
    cells = {cell["model"]: cell for cell in ended.json("summary.json")["cells"]}
    assert cells.keys() == set(MODELS)
    for model, cell in cells.items():
        rows = records[(records.model == model) & (records.phase == "measure")]
        own = [line for line in lines if line["model"] == model]
        assert (cell["blocks"], cell["requests"], set(rows.block)) == (REPEATS, len(rows), set(range(REPEATS)))
        assert cell["duration_s"] == pytest.approx(sum(line["drain_at"] - line["measure_at"] for line in own))
        assert cell["ttft_s"]["p50"] == pytest.approx(rows.ttft_s.quantile(0.5))
        assert cell["ttft_s"]["n"] == len(rows)


def test_a_slow_hour_makes_the_interval_as_wide_as_the_hours_differ(desk: Desk, endpoint_of: Any):
    """Requests of the first and the third repeat of five come late, by their number."""
    count = 60
    slow = [*range(1, count + 1), *range(2 * count + 1, 3 * count + 1)]
    endpoint_of(
        {"profile": {"ttft_s": 0.02, "tpot_s": 0.0, "faults": [{"kind": "stall_before_response", "at": slow, "seconds": 0.2}]}}
    )
    load = {"concurrency": [4], "warmup_s": 0, "duration_s": 0.2, "min_requests": count, "max_duration_s": 30, "repeats": REPEATS}
    ended = desk.run(small_config(models=[{"id": "us.amazon.nova-lite-v1:0"}], load=load))
    assert ended.status == 0, ended.stderr
    (cell,) = ended.json("summary.json")["cells"]
    means = ended.records().query("phase == 'measure'").groupby("block").ttft_s.mean()
    assert means.max() > 3 * means.min()
    low, high = cell["ttft_s"]["ci95"]["mean"]
    assert low < means.median() < high
    assert high - low > 0.5 * (means.max() - means.min())
    assert cell["ttft_s"]["n_effective"] < cell["ttft_s"]["n"] / 10

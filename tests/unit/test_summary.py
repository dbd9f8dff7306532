"""The summary: every figure of small runs worked out by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.core.records import COLUMNS
from fmbench.core.table import COLUMNS as NEEDED
from tests.unit.made import T0, Cellful, failed, row, run_of, summarise

NO_HEALTH = pd.DataFrame()
COLUMNS_OF_A_CELL = {
    *("model", "dataset", "bucket", "concurrency", "requests", "ok", "failed", "failures", "duration_s", "achieved_concurrency"),
    *("transactions_per_minute", "output_tokens_per_s", "input_tokens_mean", "output_tokens_mean", "ttft_s", "e2e_s", "tpot_s"),
    *("usd", "usd_per_10k", "meets_objectives"),
}


def summary_of(cells: list[Cellful], objectives: dict[str, Any] | None = None, **manifest: Any) -> dict[str, Any]:
    records, made = run_of(cells, objectives, **manifest)
    return summarise(records, made, NO_HEALTH)


def only_cell(rows: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    return summary_of([Cellful(rows, **given)])["cells"][0]


def test_every_key_of_the_contract_is_there() -> None:
    summary = summary_of([Cellful([row(0)])])
    assert {"schema_version", "run_id", "cells", "recommendation", "recommendation_reason", "validity"} <= summary.keys()
    assert summary["cells"][0].keys() >= COLUMNS_OF_A_CELL
    figures = {"n", "mean", "p50", "p90", "p95", "p99", "ci95"}
    for name in ("ttft_s", "e2e_s", "tpot_s"):
        assert figures <= summary["cells"][0][name].keys()
        assert summary["cells"][0][name]["ci95"].keys() == {"mean", "p50", "p90", "p95", "p99"}
    assert {"verdict", "findings"} <= summary["validity"].keys()


def test_counts_are_of_the_measured_requests() -> None:
    cell = only_cell(
        [
            row(-0.9, phase="warmup"),
            row(1),
            row(2),
            failed(3, "throttled_requests"),
            failed(4, "throttled_requests"),
            failed(5, "internal"),
            row(6, outcome="abandoned", ended_at=None, e2e_s=None),
            row(10.5, phase="drain"),
        ]
    )
    assert (cell["requests"], cell["ok"], cell["failed"], cell["abandoned"]) == (6, 2, 3, 1)
    assert cell["failures"] == {"throttled_requests": 2, "internal": 1}
    assert cell["error_rate"]["value"] == 3 / 5
    assert cell["throttled_share"] == 2 / 5
    assert (cell["full_run"]["requests"], cell["full_run"]["ok"]) == (8, 4)


def test_rates_are_time_averages_over_the_window() -> None:
    # window [0, 10): the first answer lies half in it, the second and third wholly, the last a quarter
    rows = [
        row(-1, 2, phase="warmup", output_tokens=10),
        row(2, 3, output_tokens=20),
        row(5, 1, output_tokens=30),
        row(9, 4, output_tokens=40),
        failed(6.5, "internal", 0.5),
    ]
    cell = only_cell(rows)
    completions = 0.5 + 1 + 1 + 0.25
    assert cell["duration_s"] == 10
    assert cell["transactions_per_minute"] == pytest.approx(completions / 10 * 60)
    assert cell["output_tokens_per_s"] == pytest.approx((5 + 20 + 30 + 10) / 10)
    # seconds in flight inside the window: 1 + 3 + 1 + 1, and 0.5 of the failed one
    assert cell["achieved_concurrency"] == pytest.approx(6.5 / 10)


def test_users_that_never_rest_are_all_in_flight() -> None:
    rows = [row(user * 0.37 + 1.7 * k - 3, 1.7, phase="measure", user=user) for user in range(4) for k in range(12)]
    cell = only_cell(rows, concurrency=4)
    assert cell["achieved_concurrency"] == pytest.approx(4)
    assert cell["transactions_per_minute"] == pytest.approx(4 / 1.7 * 60)


def test_latencies_are_of_the_answers_and_their_percentiles_are_numpys() -> None:
    rng = np.random.default_rng(1)
    values = rng.lognormal(0, 0.5, 400)
    rows = [row(k / 50, float(value)) for k, value in enumerate(values)]
    rows += [failed(8 + k / 100, "internal", 99.0) for k in range(50)]
    described = only_cell(rows)["e2e_s"]
    assert described["n"] == 400
    assert described["mean"] == pytest.approx(values.mean())
    for percent in (50, 90, 95, 99):
        assert described[f"p{percent}"] == pytest.approx(float(np.percentile(values, percent)))
        low, high = described["ci95"][f"p{percent}"]
        assert low <= described[f"p{percent}"] <= high


def test_a_small_sample_has_no_high_percentiles() -> None:
    described = only_cell([row(k / 8) for k in range(71)])["e2e_s"]
    assert described["p90"] is not None and described["ci95"]["p90"] is not None
    assert (described["p95"], described["p99"], described["ci95"]["p95"]) == (None, None, None)


def test_tokens_and_cost_by_hand() -> None:
    rows = [
        row(1, usd=0.001, input_tokens=100, output_tokens=10),
        row(2, usd=0.003, input_tokens=300, output_tokens=30),
        failed(3, "truncated", usd=0.002, input_tokens=50, output_tokens=5),
        failed(4, "internal"),
        row(-0.5, phase="warmup", usd=0.5),
    ]
    summary = summary_of([Cellful(rows)])
    cell = summary["cells"][0]
    assert (cell["input_tokens_mean"], cell["output_tokens_mean"]) == (200, 20)
    assert cell["usd"] == pytest.approx(0.006)
    assert cell["usd_per_10k"] == pytest.approx(0.006 / 2 * 10_000)
    assert summary["spend"]["usd"] == pytest.approx(0.506)
    assert summary["spend"]["by_model"]["a"]["input_tokens"] == 100 + 300 + 50 + 100


def test_cost_per_good_answer_counts_those_within_the_limits() -> None:
    rows = [row(k, 1.0 if k < 4 else 3.0) for k in range(5)]
    cell = summary_of([Cellful(rows)], {"e2e_p95_s": 2.0})["cells"][0]
    assert cell["goodput"]["value"] == 4 / 5
    assert cell["usd_per_10k_good"] == pytest.approx(0.005 / 4 * 10_000)


def test_an_unknown_price_is_null_everywhere_and_never_zero() -> None:
    summary = summary_of([Cellful([row(1), row(2, usd=None)])], {"usd_per_10k": 5.0})
    cell = summary["cells"][0]
    assert (cell["usd"], cell["usd_per_10k"], cell["usd_per_10k_good"], summary["spend"]["usd"]) == (None, None, None, None)
    assert summary["spend"]["unpriced"] == 1
    assert any(finding["subject"] == "price" for finding in summary["validity"]["findings"])
    assert cell["objectives"][0]["status"] == "undecided"


def test_blocks_of_a_cell_are_pooled() -> None:
    first = Cellful([row(k, 1.0) for k in range(5)])
    second = Cellful([row(100 + k, 3.0, block=1) for k in range(5)], start=100.0, line={"block": 1})
    cells = summary_of([first, second])["cells"]
    assert len(cells) == 1
    assert (cells[0]["requests"], cells[0]["duration_s"], cells[0]["blocks"]) == (10, 20, 2)
    assert cells[0]["e2e_s"]["mean"] == 2.0


def test_only_the_complete_attempt_counts() -> None:
    records, manifest = run_of([Cellful([row(1, 9.0), row(51, 1.0), row(52, 1.0)], start=50)])
    spoilt = manifest["cells"][0] | {"status": "invalid", "started_at": T0 - 1, "measure_at": T0, "drain_at": T0 + 10}
    summary = summarise(records, manifest | {"cells": [spoilt, manifest["cells"][0] | {"attempt": 2}]}, NO_HEALTH)
    assert [(cell["requests"], cell["e2e_s"]["mean"]) for cell in summary["cells"]] == [(2, 1.0)]


def test_a_cell_that_was_cut_is_shown_and_not_judged() -> None:
    cells = [
        Cellful([row(k / 10) for k in range(90)], line={"status": "stopped", "reason": "SIGINT"}),
        Cellful(
            [], concurrency=2, start=20, line={"status": "skipped", "reason": "budget", "measure_at": None, "drain_at": None}
        ),
    ]
    summary = summary_of(cells, {"e2e_p95_s": 9.0})
    cut, skipped = summary["cells"]
    assert (cut["requests"], cut["status"], cut["meets_objectives"]) == (90, "stopped", None)
    assert (skipped["requests"], skipped["reason"], skipped["e2e_s"]["mean"]) == (0, "budget", None)
    assert skipped["transactions_per_minute"] is None and skipped["usd"] is None
    assert summary["recommendation"] is None
    assert "SIGINT" in summary["recommendation_reason"]


def test_rows_without_a_line_are_a_cell_that_was_cut() -> None:
    records, manifest = run_of([Cellful([row(k) for k in range(9)])])
    cells = summarise(records, manifest | {"cells": []}, NO_HEALTH)["cells"]
    assert [(cell["model"], cell["requests"], cell["status"]) for cell in cells] == [("a", 9, "stopped")]


def test_requests_of_a_model_that_is_left_out_are_of_its_cell_and_nothing_was_cut() -> None:
    rows = [failed(1 + k / 10, "access_denied") for k in range(8)]
    refused = "every request was refused"
    line = {"status": "skipped", "reason": refused, "workers": {"w0": {"sent": 8, "ok": 0, "failed": 8}}}
    unsent = {"status": "skipped", "reason": refused, "measure_at": None, "drain_at": None, "workers": {}}
    cells = summary_of([Cellful(rows, line=line), Cellful([], concurrency=2, start=20, line=unsent)])["cells"]
    assert [(cell["status"], cell["reason"], cell["requests"]) for cell in cells] == [
        ("skipped", refused, 8),
        ("skipped", refused, 0),
    ]
    assert cells[0]["failures"] == {"access_denied": 8}


def test_an_empty_run_has_a_summary() -> None:
    for records in (pd.DataFrame(), pd.DataFrame(columns=list(COLUMNS))):
        summary = summarise(records, {}, NO_HEALTH)
        assert summary["cells"] == [] and summary["recommendation"] is None and summary["recommendation_reason"]
        assert summary["validity"]["verdict"] == "INVALID"
        json.dumps(summary, allow_nan=False)


def test_no_other_column_is_needed() -> None:
    records, manifest = run_of([Cellful([row(k / 9) for k in range(80)])], {"ttft_p95_s": 1.0})
    assert summarise(records[list(NEEDED)], manifest, NO_HEALTH) == summarise(records, manifest, NO_HEALTH)


def test_the_order_of_the_rows_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    rows = [row(k / 9, float(rng.lognormal())) for k in range(80)] + [failed(9, "internal")]
    records, manifest = run_of([Cellful(rows)], {"ttft_p95_s": 1.0})
    shuffled = records.sample(frac=1, random_state=1)
    assert json.dumps(summarise(shuffled, manifest, NO_HEALTH)) == json.dumps(summarise(records, manifest, NO_HEALTH))


def test_the_fitted_line_is_that_of_the_data() -> None:
    rows = [row(k / 10, 0.5 + 0.02 * tokens, output_tokens=tokens) for k, tokens in enumerate([10, 20, 40, 80])]
    fit = only_cell(rows)["e2e_by_output_tokens"]
    assert (fit["fixed_s"], fit["per_token_s"], fit["n"]) == (pytest.approx(0.5), pytest.approx(0.02), 4)


def test_quality_may_be_joined() -> None:
    records, manifest = run_of([Cellful([row(k / 9) for k in range(40)])], {"quality_min": 0.5})
    scored = records.assign(quality=[1.0, 0.6] * 20)
    cell = summarise(scored, manifest, NO_HEALTH)["cells"][0]
    assert cell["quality"]["value"] == pytest.approx(0.8)
    assert cell["meets_objectives"] is True
    assert summarise(records, manifest, NO_HEALTH)["cells"][0]["meets_objectives"] is None


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.floats(-3, 12),
            st.floats(0, 8),
            st.sampled_from(["ok", "failed", "abandoned"]),
            st.sampled_from(["warmup", "measure", "drain"]),
            st.none() | st.floats(0, 1),
            st.none() | st.integers(0, 500),
        ),
        max_size=60,
    ),
    st.booleans(),
)
def test_any_records_give_a_summary_without_nan(facts: list[tuple[Any, ...]], priced: bool) -> None:
    rows = [
        row(sent, e2e, outcome=outcome, phase=phase, ttft_s=ttft, output_tokens=tokens, usd=0.1 if priced else None)
        for sent, e2e, outcome, phase, ttft, tokens in facts
    ]
    objectives = {"ttft_p95_s": 0.5, "e2e_p50_s": 1.0, "error_rate": 0.1, "usd_per_10k": 3.0, "transactions_per_minute": 5.0}
    summary = summary_of([Cellful(rows)], objectives)
    json.dumps(summary, allow_nan=False)
    cell = summary["cells"][0]
    assert cell["requests"] == cell["ok"] + cell["failed"] + cell["abandoned"] == sum(fact[3] == "measure" for fact in facts)
    assert 0 <= cell["achieved_concurrency"] <= max(1, len(facts))
    for name in ("ttft_s", "e2e_s", "tpot_s"):
        for figure, pair in cell[name]["ci95"].items():
            if pair is not None and cell[name][figure] is not None:
                slack = 1e-9 * (1 + abs(cell[name][figure]))
                assert pair[0] - slack <= cell[name][figure] <= pair[1] + slack
                assert math.isfinite(pair[1])

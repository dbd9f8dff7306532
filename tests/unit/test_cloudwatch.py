"""The second witness beside the records: what is counted of each, and what is a difference."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.unit.made import Cellful, failed, row, run_of, summarise

ROWS = [row(0.1 * number, ttft_s=0.5, output_tokens=10) for number in range(40)]
ROWS += [failed(5.0, "throttled_tokens"), failed(5.1, "validation"), failed(5.2, "model_stream_error")]


def _summary(**theirs: Any) -> dict[str, Any]:
    agreed: dict[str, Any] = {"invocations": 41, "throttles": 1, "input_tokens": 4000, "output_tokens": 400}
    agreed |= {"quota_tokens": 4400, "ttft_ms_sum": 40 * 450.0, "ttft_samples": 40}
    told = {"asked_at": 0.0, "start": 0.0, "end": 60.0, "models": {"a.id": agreed | theirs}}
    records, manifest = run_of([Cellful(ROWS)], cloudwatch=told)
    return summarise(records, manifest, pd.DataFrame())


def _said(summary: dict[str, Any]) -> list[str]:
    return [each["message"] for each in summary["validity"]["findings"] if each["subject"] == "second witness"]


def test_what_agrees_is_no_finding() -> None:
    summary = _summary()
    assert {each["figure"]: each["ours"] for each in summary["cloudwatch"]} == {
        "invocations": 41,
        "throttles": 1,
        "input_tokens": 4000,
        "output_tokens": 400,
        "quota_tokens": 4400,
        "ttft_s": 0.5,
    }
    assert _said(summary) == []


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({"invocations": 60}, "CloudWatch counts 60 requests let through of a.id"),
        ({"output_tokens": 300}, "CloudWatch counts 300 output tokens"),
        ({"throttles": 5}, "CloudWatch counts 5 throttled requests"),
        ({"ttft_ms_sum": 40 * 200.0}, "mean time to first token of 0.200 s"),
        ({"ttft_ms_sum": 40 * 700.0}, "mean time to first token of 0.700 s"),
    ],
)
def test_a_difference_is_a_finding(theirs: dict[str, Any], said: str) -> None:
    (found,) = _said(_summary(**theirs))
    assert said in found


def test_no_datapoint_is_no_difference() -> None:
    summary = _summary(quota_tokens=None)
    assert [each["differs"] for each in summary["cloudwatch"] if each["figure"] == "quota_tokens"] == [None]
    assert _said(summary) == []


def test_why_nothing_was_told_is_said() -> None:
    records, manifest = run_of([Cellful(ROWS)], cloudwatch={"asked_at": 0.0, "error": "not authorized"})
    summary = summarise(records, manifest, pd.DataFrame())
    assert _said(summary) == ["CloudWatch was to be asked, and said nothing: not authorized. It takes cloudwatch:GetMetricData."]
    assert "cloudwatch" not in summary

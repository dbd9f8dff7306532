"""What retries brought, by hand: 100 requests, 10 of them throttled first, of which one never gets through."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.unit.made import Cellful, failed, row, run_of, summarise


def hundred() -> list[dict[str, Any]]:
    """Requests of 1 s each, 2 s apart; of the throttled ones nine get through 4 s after their first attempt."""
    rows, seq = [], 0
    for number in range(100):
        sent = 10.0 * number
        if number % 10:
            rows.append(row(sent, seq=seq, attempt=1))
            seq += 1
            continue
        rows.append(failed(sent, "throttled_requests", 0.1, seq=seq, attempt=1))
        last = (sent + 4.0, {"seq": seq + 1, "attempt": 2, "backoff_s": 3.9, "phase": "drain" if number == 90 else "measure"})
        made = failed(last[0], "throttled_requests", 0.1, **last[1]) if number == 0 else row(last[0], **last[1])
        rows.append(made)
        seq += 2
    return rows


def summary(**load: Any) -> dict[str, Any]:
    records, manifest = run_of([Cellful(hundred(), window=(0.0, 1000.0))], {"error_rate": 0.05, "e2e_p95_s": 4.5})
    manifest["config"]["load"] = load
    return summarise(records, manifest, pd.DataFrame())


def test_first_attempt_and_whole_request_stand_side_by_side() -> None:
    (found,) = summary(retry={"mode": "ours", "attempts": 2})["retries"]
    assert (found["requests"], found["attempts"], found["retried"], found["recovered"]) == (100, 110, 10, 9)
    assert found["by_attempts"] == {"1": 90, "2": 10} and found["added_requests"] == pytest.approx(0.10)
    first, whole = found["first"], found["whole"]
    assert (first["ok_share"]["value"], whole["ok_share"]["value"]) == pytest.approx((0.90, 0.99))
    assert (first["e2e_s"]["p95"], whole["e2e_s"]["p95"]) == pytest.approx((1.0, 5.0))
    assert (first["e2e_s"]["n"], whole["e2e_s"]["n"]) == (90, 99)
    assert (first["usd"], whole["usd"]) == pytest.approx((0.090, 0.099)) and found["added_usd"] == pytest.approx(0.1)


def test_objectives_are_judged_by_whole_requests_and_figures_stay_the_records() -> None:
    (cell,) = summary(retry={"mode": "ours"})["cells"]
    judged = {one["objective"]: one for one in cell["objectives"]}
    assert judged["error_rate"]["value"] == pytest.approx(0.01)
    assert judged["e2e_p95_s"]["within"] == pytest.approx(90 / 99)
    assert (cell["requests"], cell["failed"]) == (109, 11), "one attempt went out in the drain"
    assert cell["e2e_s"]["p95"] == pytest.approx(1.0)


def test_a_run_without_retries_says_nothing_of_them() -> None:
    records, manifest = run_of([Cellful([row(0.0, seq=0, attempt=1)])])
    assert "retries" not in summarise(records, manifest, pd.DataFrame())

"""Answers that say nothing: SciPy's binomial bounds and arithmetic by hand say what has to come out."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from scipy import stats

from fmbench.core.objectives import Objective, Sample, judge
from fmbench.core.table import read
from tests.unit.made import Cellful, row, run_of, summarise


def answers(text: int, without: int, word: str = "empty", **given: Any) -> list[dict[str, Any]]:
    """So many with text and without, spread evenly over the window."""
    total = text + without
    marks = [k * without // total != (k + 1) * without // total for k in range(total)]
    return [row(k * 9 / total, 0.1, answered=word if bare else "text", **given) for k, bare in enumerate(marks)]


def summary_of(rows: list[dict[str, Any]], **objectives: Any) -> dict[str, Any]:
    records, manifest = run_of([Cellful(rows)], objectives)
    return summarise(records, manifest, pd.DataFrame())


@pytest.mark.parametrize("word", ["empty", "reasoning_only", "cut", "filtered"])
def test_a_run_of_answers_without_text_recommends_nothing(word: str) -> None:
    summary = summary_of(answers(0, 100, word), e2e_p95_s=1.0)
    assert summary["recommendation"] is None and summary["cells"][0]["meets_objectives"] is False
    assert "answers with text" in summary["recommendation_reason"]
    assert summary["validity"]["verdict"] == "DEGRADED"
    assert any("100 % of the answers of a gave no text" in item["message"] for item in summary["validity"]["findings"])


def test_most_answers_suffice_where_nothing_is_asked_for() -> None:
    summary = summary_of(answers(80, 20), e2e_p95_s=1.0)
    assert summary["recommendation"]["model"] == "a"
    assert [item["objective"] for item in summary["cells"][0]["objectives"]] == ["e2e_p95_s"]
    assert any("20 % of the answers" in item["message"] for item in summary["validity"]["findings"])
    assert not any("gave no text" in item["message"] for item in summary_of(answers(98, 2))["validity"]["findings"])


def test_good_answers_are_those_with_text() -> None:
    cell = summary_of(answers(75, 25))["cells"][0]
    assert (cell["answered_share"]["value"], cell["answered"]) == (0.75, {"text": 75, "empty": 25})
    assert cell["goodput"]["value"] == 0.75
    assert cell["usd_per_10k"] == pytest.approx(10.0)
    assert cell["usd_per_10k_good"] == pytest.approx(100 * 0.001 / 75 * 10_000)


def test_records_that_do_not_say_count_as_text() -> None:
    cell = summary_of([row(k / 10, 0.1) for k in range(80)])["cells"][0]
    assert cell["answered_share"]["value"] is None and cell["goodput"]["value"] == 1.0
    assert cell["meets_objectives"] is not False


@pytest.mark.parametrize(("text", "without", "limit"), [(59, 0, 0.95), (58, 0, 0.95), (300, 5, 0.95), (60, 40, 0.9)])
def test_a_limit_on_the_share_is_a_test(text: int, without: int, limit: float) -> None:
    """Clopper and Pearson's bounds, by SciPy: the lower one missed by 5 %, the upper one by 2.5 %."""
    made = stats.binomtest(text, text + without)
    lower = made.proportion_ci(0.90, method="exact").low
    upper = made.proportion_ci(0.95, method="exact").high
    wanted = "met" if lower >= limit else "not_met" if upper < limit else "undecided"
    found = judge(Objective("answered_share", limit), Sample(read(pd.DataFrame(answers(text, without))).rows, {}))
    assert (found.status, found.limit, found.value) == (wanted, limit, pytest.approx(text / (text + without)))
    assert found.ci95 is not None and found.ci95[1] == pytest.approx(upper)
    if wanted == "met":
        assert found.lower == pytest.approx(lower)


def test_nothing_is_answered_share_of_failures() -> None:
    rows = read(pd.DataFrame([row(k, outcome="failed") for k in range(5)])).rows
    assert judge(Objective("answered_share", 0.9), Sample(rows, {})).status == "undecided"


def test_time_to_the_first_text_can_be_an_objective() -> None:
    """Reasoning starts at once, the text late: the first token is within the limit, the first text beyond it."""
    rows = answers(100, 0, ttft_s=0.02, ttft_text_s=0.09)
    judged = summary_of(rows, ttft_p95_s=0.05, ttft_text_p95_s=0.05)["cells"][0]["objectives"]
    statuses = {item["objective"]: item["status"] for item in judged}
    assert statuses == {"ttft_p95_s": "met", "ttft_text_p95_s": "not_met"}

"""Objectives as tests: SciPy's binomial test and arithmetic by hand say what has to come out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fmbench.core.objectives import Judgement, Objective, Sample, judge, meets, objectives_of
from fmbench.core.reasons import NoPrice
from fmbench.core.scores import Quality
from fmbench.core.table import Rows, read
from fmbench.report.summary import say
from tests.unit.made import Cellful, failed, row, run_of, summarise


def rows_of(made: list[dict[str, Any]]) -> Rows:
    return read(pd.DataFrame(made)).rows


def answers(within: int, beyond: int, limit: float = 1.0) -> Rows:
    """Answers in an order without a pattern: so many within the limit, so many beyond it."""
    values = np.array([limit / 2] * within + [limit * 2] * beyond)
    np.random.default_rng(within * 1000 + beyond).shuffle(values)
    return rows_of([row(k, float(value)) for k, value in enumerate(values)])


def judged(name: str, limit: float, rows: Rows, quality: Quality | None = None, **figures: Any) -> Judgement:
    """``figures``: (value, interval) by the key that they have in the summary."""
    row: dict[str, Any] = {"usd_per_10k": None, "usd_per_10k_ci95": None}
    for key, (value, ends) in figures.items():
        row |= {key: value, f"{key}_ci95": list(ends)}
    return judge(Objective(name, limit), Sample(rows, row, quality))


@pytest.mark.parametrize(
    ("within", "beyond"), [(71, 0), (72, 0), (100, 0), (100, 1), (120, 1), (95, 5), (400, 5), (60, 20), (30, 10), (5, 5)]
)
def test_a_percentile_is_judged_as_the_binomial_test_does(within: int, beyond: int) -> None:
    oracle = stats.binomtest(within, within + beyond).proportion_ci(0.95, method="exact")
    wanted = "met" if oracle.low >= 0.95 else "not_met" if oracle.high < 0.95 else "undecided"
    assert judged("e2e_p95_s", 1.0, answers(within, beyond)).status == wanted


def test_undecided_says_how_many_requests_it_takes() -> None:
    nothing_beyond = judged("e2e_p95_s", 1.0, answers(50, 0))
    assert (nothing_beyond.status, nothing_beyond.requests_needed, nothing_beyond.value) == ("undecided", 22, None)
    assert judged("e2e_p99_s", 1.0, answers(300, 0)).requests_needed == 68
    near = judged("e2e_p95_s", 1.0, answers(98, 2))
    assert near.status == "undecided" and near.requests_needed is not None
    total = 100 + near.requests_needed
    decided = stats.binomtest(round(0.98 * total), total).proportion_ci(0.95, method="exact")
    assert decided.low >= 0.95 - 0.003  # at 98 % within, so many are about enough


def test_a_limit_at_the_true_value_has_no_number() -> None:
    on_the_line = judged("e2e_p95_s", 1.0, answers(95, 5))
    assert (on_the_line.status, on_the_line.requests_needed) == ("undecided", None)


def test_timeouts_count_as_not_within_and_other_failures_do_not() -> None:
    places = np.random.default_rng(8).permutation(130)
    answered = [row(float(at), 0.5) for at in places[:100]]
    others = rows_of(answered + [failed(float(at), "internal") for at in places[100:]])
    late = rows_of(answered + [failed(float(at), "timeout_total", 0.9) for at in places[100:]])
    assert judged("e2e_p95_s", 1.0, others).status == "met"
    found = judged("e2e_p95_s", 1.0, late)
    assert (found.status, found.within) == ("not_met", 100 / 130)


def test_a_first_token_seen_before_a_timeout_is_a_first_token() -> None:
    rows = rows_of([failed(k, "timeout_between_bytes", 60.0, ttft_s=0.2) for k in range(80)])
    assert judged("ttft_p95_s", 1.0, rows).status == "met"
    assert judged("e2e_p95_s", 1.0, rows).status == "not_met"


def test_an_api_without_first_tokens_is_said_to_have_none() -> None:
    found = judged("ttft_p95_s", 1.0, rows_of([row(k, ttft_s=None) for k in range(100)]))
    assert found.status == "undecided" and found.requests_needed is None and found.why and "stream" in say(found.why)


def test_dependent_answers_decide_later() -> None:
    """Eight slow spells of 20 requests in 4,000: 4 % beyond, too few by far for independence to be believed."""
    values = np.full(4000, 0.5)
    for spell in range(8):
        values[spell * 500 : spell * 500 + 20] = 2.0
    rows = rows_of([row(k, float(value)) for k, value in enumerate(values)])
    assert stats.binomtest(3840, 4000).proportion_ci(0.95, method="exact").low > 0.95
    assert judged("e2e_p95_s", 1.0, rows).status == "undecided"


@pytest.mark.parametrize(
    ("fails", "count", "limit", "status"),
    [
        (0, 298, 0.01, "undecided"),
        (0, 299, 0.01, "met"),
        (0, 120, 0.025, "met"),
        (1, 100, 0.01, "undecided"),
        (9, 100, 0.01, "not_met"),
        (20, 20, 0.5, "not_met"),
        (5, 20, 1.0, "met"),
        (1, 50, 0.0, "not_met"),
        (0, 50, 0.0, "undecided"),
    ],
)
def test_an_error_rate_is_met_when_its_upper_bound_is(fails: int, count: int, limit: float, status: str) -> None:
    """Clopper and Pearson's bounds, by scipy: the upper one missed by 5 %, the lower one by 2.5 %."""
    made = [row(k) for k in range(count - fails)]
    order = np.random.default_rng(1).permutation(count)[:fails]
    rows = rows_of(made + [failed(float(place) + 0.5, "internal") for place in order])
    found = judged("error_rate", limit, rows)
    exact = stats.binomtest(fails, count)
    lower, upper = exact.proportion_ci(0.95, method="exact").low, exact.proportion_ci(0.9, method="exact").high
    assert found.status == status == ("met" if upper <= limit else "not_met" if lower > limit else "undecided")
    if status != "not_met" and fails:
        assert found.upper == pytest.approx(upper)


def test_no_failure_of_120_is_at_most_2_and_a_half_percent() -> None:
    found = judged("error_rate", 0.01, rows_of([row(k) for k in range(120)]))
    assert (found.value, found.requests_needed) == (0.0, 299 - 120)
    assert found.upper == pytest.approx(1 - 0.05 ** (1 / 120)) == pytest.approx(0.0247, abs=1e-4)


@pytest.mark.parametrize(("true", "count"), [(0.011, 100), (0.011, 400), (0.02, 400), (0.06, 100)])
def test_a_rate_above_its_limit_is_called_met_in_less_than_one_run_of_twenty(true: float, count: int) -> None:
    """By the binomial: the chance of so few failures that the bound lies within 1 %."""
    within = [fails for fails in range(count) if judged_rate(fails, count) == "met"]
    assert stats.binom.cdf(max(within, default=-1), count, true) <= 0.05


def judged_rate(fails: int, count: int) -> str:
    upper = stats.binomtest(fails, count).proportion_ci(0.9, method="exact").high
    if fails > 20:
        return "not_met"
    rows = [row(k) for k in range(count - fails)] + [failed(k * count / max(fails, 1) + 0.5, "internal") for k in range(fails)]
    found = judged("error_rate", 0.01, rows_of(rows)).status
    assert (found == "met") == (upper <= 0.01)
    return found


def test_figures_with_intervals_on_either_side() -> None:
    rows = rows_of([row(k) for k in range(100)])
    assert judged("usd_per_10k", 10.0, rows, usd_per_10k=(8.0, (7.0, 9.0))).status == "met"
    assert judged("usd_per_10k", 6.0, rows, usd_per_10k=(8.0, (7.0, 9.0))).status == "not_met"
    between = judged("usd_per_10k", 8.5, rows, usd_per_10k=(8.0, (7.0, 9.0)))
    # the interval's half width, 1, has to halve: four times the requests
    assert (between.status, between.requests_needed) == ("undecided", 300)
    assert judged("usd_per_10k", 10.0, rows).why == NoPrice()
    assert judged("transactions_per_minute", 60, rows, transactions_per_minute=(70.0, (65.0, 75.0))).status == "met"
    assert judged("transactions_per_minute", 80, rows, transactions_per_minute=(70.0, (65.0, 75.0))).status == "not_met"
    assert judged("quality_min", 0.6, rows, quality=Quality(0.5, (0.4, 0.7), 80, 80, {})).status == "undecided"


def test_all_met_or_one_not_met_or_undecided() -> None:
    made = {status: Judgement("x", 1.0, status) for status in ("met", "not_met", "undecided")}
    assert meets([]) is True
    assert meets([made["met"]]) is True
    assert meets([made["met"], made["undecided"]]) is None
    assert meets([made["met"], made["undecided"], made["not_met"]]) is False


def test_what_is_not_a_limit_is_left_out() -> None:
    config = {"bucket": "en_1-500", "prefer": "cost", "ttft_p95_s": 1.5, "e2e_p50_s": None, "error_rate": 0.01}
    assert objectives_of(config) == [Objective("ttft_p95_s", 1.5), Objective("error_rate", 0.01)]


def test_objectives_of_a_cell_stand_in_its_row() -> None:
    records, manifest = run_of([Cellful([row(k / 10, 0.5) for k in range(90)])], {"e2e_p95_s": 1.0, "ttft_p99_s": 1.0})
    cell = summarise(records, manifest, pd.DataFrame())["cells"][0]
    assert [(item["objective"], item["status"]) for item in cell["objectives"]] == [
        ("e2e_p95_s", "met"),
        ("ttft_p99_s", "undecided"),
    ]
    assert cell["meets_objectives"] is None

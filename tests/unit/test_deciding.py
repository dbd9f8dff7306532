"""Decisions while a cell is measured: as sure after ten looks as the report is after one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from fmbench.config.schema import Config
from fmbench.core.deciding import Counts, decided, design_effect, look_times
from fmbench.core.objectives import Objective
from fmbench.core.records import Record
from fmbench.load.deciding import Deciding
from fmbench.load.slices import Counting, Row, Slices, merged
from fmbench.load.tally import Tally, total

NOTHING = np.zeros(16)
LIMIT = Objective("ttft_p95_s", 1.0)


def counts(within: Any, counted: Any, unknown: int = 0, **other: Any) -> Counts:
    """Slices of a latency objective; all that is counted is ok."""
    counted = np.asarray(counted, dtype=float)
    given = {"ended": counted, "failed": NOTHING, "ok": counted, "usd": NOTHING, "priced": counted, "per_minute": NOTHING} | other
    return Counts(unknown=unknown, latencies={LIMIT.name: (counted, np.asarray(within, dtype=float))}, **given)


@pytest.mark.parametrize(
    ("within", "counted"), [(103, 103), (104, 104), (105, 105), (900, 1000), (930, 1000), (950, 1000), (970, 1000)]
)
def test_a_share_is_decided_where_clopper_and_pearson_s_99_percent_interval_is_clear_of_it(within: int, counted: int) -> None:
    interval = stats.binomtest(within, counted).proportion_ci(0.99, method="exact")
    assert decided(LIMIT, counts([within], [counted])) == (interval.low >= 0.95 or interval.high < 0.95)


def test_what_is_in_flight_may_fall_either_way() -> None:
    assert decided(LIMIT, counts([200], [200]))
    assert not decided(LIMIT, counts([200], [200], unknown=11))


def test_slices_that_differ_tell_less() -> None:
    alike, unlike = np.full(16, 18.0), np.array([20.0, 16.0] * 8)
    assert design_effect(alike, np.full(16, 20.0)) == 1
    # between slices 32/15 as unbiased variance of 4 counts' distance, within 20 × 0.9 × 0.1
    assert design_effect(unlike, np.full(16, 20.0)) == pytest.approx(16 * 4 / 15 / 1.8)
    assert decided(LIMIT, counts(alike, np.full(16, 20.0)))
    assert not decided(LIMIT, counts(np.array([20.0, 16.0] * 8), np.full(16, 20.0)))
    slowly = np.repeat([20.0, 14.0, 20.0, 16.0], 4)
    assert design_effect(slowly, np.full(16, 20.0)) > 4


def test_errors_are_decided_as_the_report_decides_them() -> None:
    def errors(failed: float, ended: float, unknown: int = 0) -> bool:
        return decided(
            Objective("error_rate", 0.1), counts([0], [0], unknown, ended=np.array([ended]), failed=np.array([failed]))
        )

    assert not errors(0, 19) and errors(0, 20) and errors(2, 20)
    assert not errors(2, 20, unknown=1)
    assert not errors(3, 20) and errors(20, 40)


def test_a_cost_is_decided_by_how_slices_scatter_and_not_without_a_price() -> None:
    random = np.random.default_rng(1)
    ok = np.full(16, 10.0)
    usd = ok * 0.001 + random.normal(0, 0.002, 16)
    value = usd.sum() / 160 * 10_000
    for limit, clear in ((value * 1.2, True), (value * 0.8, True), (value * 1.01, False)):
        assert decided(Objective("usd_per_10k", limit), counts(ok, ok, usd=usd)) == clear
    assert decided(Objective("usd_per_10k", value * 1.01), counts(ok, ok, usd=ok * 0, priced=NOTHING))


def test_what_more_requests_would_not_decide_is_not_waited_for() -> None:
    assert decided(LIMIT, counts(NOTHING, NOTHING, ok=np.full(16, 5.0)))
    assert decided(Objective("quality_min", 0.5), counts(NOTHING, NOTHING))
    assert not decided(LIMIT, counts(NOTHING, NOTHING))


def test_ten_looks_err_as_seldom_as_one_at_95_percent() -> None:
    """A share exactly on its limit: any decision is wrong on one side."""
    random, runs, stopped = np.random.default_rng(5), 500, 0
    objective = Objective("ttft_p50_s", 1.0)
    times = look_times(40, 400)
    for _ in range(runs):
        hits = random.random((400, 4)) < 0.5
        by_slice = hits.sum(axis=1)
        for after in times:
            seen = Counts(
                unknown=0,
                ended=np.full(round(after), 4.0),
                failed=np.zeros(round(after)),
                ok=np.full(round(after), 4.0),
                usd=np.zeros(round(after)),
                priced=np.zeros(round(after)),
                per_minute=np.zeros(round(after)),
                latencies={objective.name: (np.full(round(after), 4.0), by_slice[: round(after)].astype(float))},
            )
            if decided(objective, seen):
                stopped += 1
                break
    assert stopped / runs <= 0.07


def test_looks_are_further_and_further_apart() -> None:
    times = look_times(30, 300)
    assert (len(times), times[0], times[-1]) == (10, 30, pytest.approx(300))
    ratios = [later / sooner for sooner, later in itertools.pairwise(times)]
    assert ratios == pytest.approx([10 ** (1 / 9)] * 9)


def record(**given: Any) -> Record:
    made = {"run_id": "r", "worker": "w", "user": 0, "seq": 0, "model": "m", "model_id": "m", "api": "converse-stream"}
    made |= {"dataset": "d", "bucket": "b", "concurrency": 1, "cell": 0, "block": 0, "phase": "measure", "task": "t"}
    return Record(**(made | {"prompt_id": "p", "outcome": "ok", "ttft_s": 0.5, "e2e_s": 2.0, "usd": 0.001} | given))


def test_slices_count_requests_where_they_were_sent_and_merge_over_processes() -> None:
    counting = Counting(1.0, (("ttft", 1.0), ("e2e", 1.0)))
    one, two = Slices(counting, {}), Slices(counting, {})
    number = one.sent(0.5)
    one.sent(1.5)
    one.ended(number, record())
    one.completed(3.2)
    number = two.sent(0.9)
    two.ended(number, record(outcome="failed", failure="timeout_total", usd=None, ttft_s=None, e2e_s=3.0))
    rows = merged([one.rows, two.rows])
    # sent, ended, failed, ok, usd, priced, completed; TTFT counted, within; end to end counted, within
    assert rows[0] == [2, 2, 1, 1, 0.001, 1, 0, 2, 1, 2, 0]
    assert rows[1] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert rows[3] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    carried = [Tally.from_message(Tally(slices=part.rows).to_message()) for part in (one, two)]
    assert total(carried).slices == rows
    assert Counting.from_message(counting.to_message()) == counting


def deciding(**load: Any) -> Deciding:
    objectives = {"ttft_p95_s": 1.0, "error_rate": 0.1}
    config = {"models": [{"id": "amazon.nova-lite-v1:0"}], "objectives": objectives, "load": {"until": "decided", **load}}
    return Deciding(Config.model_validate(config))


def steady(judge: Deciding, seconds: float, each: int, in_flight: int = 0) -> dict[int, Row]:
    """Slices with ``each`` quick answers; of the last slice ``in_flight`` are not over."""
    slices = Slices(judge.counting, {})
    count = round(seconds / judge.counting.slice_s)
    for number, k in itertools.product(range(count), range(each)):
        slices.sent(number * judge.counting.slice_s)
        if number < count - 1 or k >= in_flight:
            slices.ended(number, record())
    return slices.rows


def test_a_window_ends_at_the_first_look_that_decides() -> None:
    judge = deciding(duration_s=10, max_duration_s=100)
    window = judge.window()
    assert not window(9.9, steady(judge, 10, 20)), "before the first look nothing is asked"
    assert not window(10.1, steady(judge, 10, 2))
    assert not window(11, steady(judge, 10, 20)), "between looks nothing is asked"
    assert window(13, steady(judge, 10, 20))
    assert window(14, {}), "once decided it stays so"


def test_late_slices_whose_requests_are_in_flight_are_left_out() -> None:
    judge = deciding(duration_s=10)
    late = steady(judge, 10, 20, in_flight=20)
    assert judge.decided(10, late), "300 of 300 are within; with 20 unknown ones it would be 300 of 320"
    late[0][1] -= 20
    assert not judge.decided(10, late), "as many from the start on hold up everything"

"""Decisions while a cell is measured: they hold however often one looks."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics.stopping import PROCESSES, ended
from fmbench.config.schema import Config
from fmbench.core.looks import Counts, look_times
from fmbench.core.objectives import Objective, decided, evidence_for
from fmbench.core.records import Record
from fmbench.load.controller.windows import WindowJudge
from fmbench.load.slices import MOST_USERS, Counting, Slices, merged
from fmbench.load.tally import Tally, total
from fmbench.load.wire import from_plain, to_plain

NOTHING = np.zeros(16)
LIMIT = Objective("ttft_p95_s", 1.0)


def counts(within: Any, counted: Any, unknown: int = 0, **other: Any) -> Counts:
    """Slices of a latency objective; all that is counted is ok."""
    counted = np.asarray(counted, dtype=float)
    given = {"ended": counted, "failed": NOTHING, "ok": counted, "usd": NOTHING, "priced": counted, "per_minute": NOTHING} | other
    return Counts(unknown=unknown, latencies={LIMIT.name: (counted, np.asarray(within, dtype=float))}, **given)


@pytest.mark.parametrize(("blocks", "expected"), [(50, False), (75, False), (90, True), (200, True)])
def test_a_share_of_all_is_decided_by_blocks_however_many_requests_they_hold(blocks: int, expected: bool) -> None:
    """Seven tenths at 1 / 0.95 a block reach 50 after 84 blocks."""
    for each in (1.0, 100.0):
        assert decided(LIMIT, counts(np.full(blocks, each), np.full(blocks, each))) == expected


def test_slices_shorter_than_five_seconds_are_joined() -> None:
    short = counts(np.full(200, 9.0), np.full(200, 9.0), slice_s=1.0)
    assert not decided(LIMIT, short)
    assert decided(LIMIT, counts(np.full(500, 9.0), np.full(500, 9.0), slice_s=1.0))


def test_many_slow_ones_are_soon_not_met() -> None:
    assert decided(LIMIT, counts(np.full(12, 6.0), np.full(12, 10.0)))


def test_what_is_in_flight_may_fall_either_way() -> None:
    all_within = np.full(90, 10.0)
    assert decided(LIMIT, counts(all_within, all_within))
    assert not decided(LIMIT, counts(all_within, all_within, unknown=40))


def test_errors_are_decided_by_the_same_evidence() -> None:
    def errors(failed: Any, unknown: int = 0, limit: float = 0.1) -> bool:
        ended = np.full(len(failed), 10.0)
        return decided(
            Objective("error_rate", limit), counts(ended, ended, unknown, ended=ended, failed=np.asarray(failed, float))
        )

    assert not errors([0.0] * 20) and errors([0.0] * 45)
    assert not errors([0.0] * 45, unknown=20)
    assert errors([4.0] * 30) and not errors([1.0] * 100)
    assert errors([0.0] * 10 + [1.0], limit=0.0) and not errors([0.0] * 400, limit=0.0)


def test_the_share_of_answers_with_text_is_decided_by_those_without() -> None:
    """Of a limit of 90 % as an error rate of 10 % is: 41 blocks without one that is not text, and not by fewer."""

    def texts(without: Any, limit: float = 0.9) -> bool:
        told = np.full(len(without), 10.0)
        return decided(Objective("answered_share", limit), counts(told, told, told=told, text=told - np.asarray(without, float)))

    assert not texts([0.0] * 20) and texts([0.0] * 45)
    assert texts([4.0] * 30) and not texts([1.0] * 100)
    assert not decided(Objective("answered_share", 0.9), counts(np.full(90, 9.0), np.full(90, 9.0)))


def test_a_cost_is_decided_by_how_blocks_scatter_and_not_without_a_price() -> None:
    random = np.random.default_rng(1)
    ok = np.full(64, 10.0)
    usd = ok * 0.001 + random.normal(0, 0.002, 64)
    value = usd.sum() / 640 * 10_000
    for limit, clear in ((value * 1.2, True), (value * 0.8, True), (value * 1.01, False)):
        assert decided(Objective("usd_per_10k", limit), counts(ok, ok, usd=usd)) == clear
    assert decided(Objective("usd_per_10k", value * 1.01), counts(ok, ok, usd=ok * 0, priced=ok * 0))


def test_throughput_is_met_when_it_is_shown_to_be_at_least_the_limit() -> None:
    rates = np.random.default_rng(2).normal(60, 3, 80)
    found = [
        evidence_for(Objective("transactions_per_minute", limit), counts(rates, rates, per_minute=rates)) for limit in (50, 70)
    ]
    assert [item is not None and item.status() for item in found] == [True, False]


def test_what_more_requests_would_not_decide_is_not_waited_for() -> None:
    assert decided(LIMIT, counts(NOTHING, NOTHING, ok=np.full(16, 5.0)))
    assert decided(Objective("quality_min", 0.5), counts(NOTHING, NOTHING))
    assert not decided(LIMIT, counts(NOTHING, NOTHING))


@pytest.mark.parametrize("kind", ["independent", "spells", "queue"])
def test_at_the_limit_a_window_seldom_ends_with_met(kind: str) -> None:
    """The short form of ``benchmarks/statistics/stopping.py``: 50 windows of 600 s, ten looks, the share at its limit."""
    rng = np.random.default_rng(5)
    assert sum(ended(rng, PROCESSES[kind], 0.05)[0] is True for _ in range(50)) <= 5


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
    one.ended(number, record(answered="text"))
    one.completed(3.2, record())
    two.dropped(0.2)
    one.dropped(0.7)
    number = two.sent(0.9)
    two.ended(number, record(user=5, outcome="failed", failure="timeout_total", usd=None, ttft_s=None, e2e_s=3.0))
    rows = merged([one.rows, two.rows])
    # sent, ended, failed, ok, usd, priced, completed, told, text, dropped, users; TTFT counted, within; e2e counted, within
    assert rows[0] == [2, 2, 1, 1, 0.001, 1, 0, 1, 1, 2, 0, 2, 1, 2, 0]
    assert rows[1] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert rows[3] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    carried = [from_plain(Tally, to_plain(Tally(slices=part.rows, users=part.users))) for part in (one, two)]
    whole = total(carried)
    assert whole.slices == rows
    assert whole.users == {
        0: [0, 1, 0, 1, 0.001, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0],
        5: [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0],
    }
    assert whole.processes == [whole.users[0], whole.users[5]], "each process had one user"
    assert from_plain(Counting, to_plain(counting)) == counting


def deciding(**load: Any) -> WindowJudge:
    objectives = {"ttft_p95_s": 1.0, "error_rate": 0.1}
    config = {"models": [{"id": "amazon.nova-lite-v1:0"}], "objectives": objectives, "load": {"until": "decided", **load}}
    return WindowJudge(Config.model_validate(config))


def steady(judge: WindowJudge, seconds: float, each: int, in_flight: int = 0) -> Tally:
    """Slices with ``each`` quick answers; of the last slice ``in_flight`` are not over."""
    slices = Slices(judge.counting, {})
    count = round(seconds / judge.counting.slice_s)
    for number, k in itertools.product(range(count), range(each)):
        slices.sent(number * judge.counting.slice_s)
        if number < count - 1 or k >= in_flight:
            slices.ended(number, record())
    return Tally(slices=slices.rows)


def test_what_an_open_loop_dropped_tells_against_a_level() -> None:
    """One in five of the plan was never sent: whatever the answers were, the level is not carried."""
    judge = deciding(duration_s=60.0)
    counted = steady(judge, 600, 4)
    carried = judge.evidence(600, counted)
    slices = Slices(judge.counting, counted.slices)
    for number in range(round(600 / judge.counting.slice_s)):
        slices.dropped(number * judge.counting.slice_s)
    short = judge.evidence(600, counted)
    assert carried.lean > 0 and carried.met > 2 and short.lean < 0 and short.met == 0.0 and short.status() is False


def test_a_window_ends_at_the_first_look_that_decides() -> None:
    judge = deciding(duration_s=100, max_duration_s=1000)
    window = judge.window()
    assert not window(99, steady(judge, 500, 20)), "before the first look nothing is asked"
    assert not window(101, steady(judge, 100, 20))
    assert not window(110, steady(judge, 500, 20)), "between looks nothing is asked"
    assert window(500, steady(judge, 500, 20))
    assert window(501, Tally()), "once decided it stays so"


def test_late_slices_whose_requests_are_in_flight_are_left_out() -> None:
    judge = deciding(duration_s=500)
    late = steady(judge, 450, 20, in_flight=20)
    assert judge.decided(450, late), "all that is known is within"
    late.slices[0][1] -= 20
    assert not judge.decided(450, late), "as many from the start on hold up everything"


def by_user(judge: WindowJudge, within: list[int], of: int, seconds: float = 600, failing: int | None = None) -> Tally:
    """Answers of users who had so many ``within`` the limit of ``of`` each, spread evenly over the window."""
    slices = Slices(judge.counting, {})
    slices.of_users(range(len(within)))
    for user, good in enumerate(within):
        for k in range(of):
            number = slices.sent((k + 0.5) * seconds / of)
            quick = (k + 1) * good // of > k * good // of
            made = {"user": user, "ttft_s": 0.5 if quick else 2.0, "answered": "text"}
            slices.ended(number, record(**made) if user != failing else record(user=user, outcome="failed", failure="throttled"))
    return Tally(slices=slices.rows, users=slices.users)


def test_what_one_user_of_four_saw_ends_no_window() -> None:
    """One in ten is slow, twice what may be. Whether all users have a tenth of them, or one has four tenths and the others none,
    is the same in time; of four users of whom one is slow, Student's t has 3 degrees of freedom: t = (0.1 - 0.05) / 0.1 = 0.5."""
    judge = deciding(duration_s=60.0)
    alike, one = by_user(judge, [900] * 4, 1000), by_user(judge, [600, 1000, 1000, 1000], 1000)
    limit = judge._objectives[0]
    found = [evidence_for(limit, judge._counts_of(600, tally)) for tally in (alike, one)]  # type: ignore[arg-type]
    assert [None if item is None else item.status() for item in found] == [False, None]
    assert found[1] is not None and found[1].not_met == pytest.approx(-math.log(2 * stats.t.sf(0.5, 3)))
    unknown = replace(one, users={})
    assert judge.evidence(600, unknown).status() is False, "a process of an earlier version counts no users"
    assert judge.evidence(600, by_user(judge, [600, 1000, 1000], 1000)).status() is False, "three are not told from chance"


def test_users_who_are_alike_take_nothing_away() -> None:
    judge = deciding(duration_s=60.0)
    for users in (4, 8, 40):
        tally = by_user(judge, [1000] * users, 1000, seconds=900)
        assert judge.evidence(900, tally) == judge.evidence(900, replace(tally, users={}))
        assert judge.evidence(900, tally).status() is True


def test_many_users_are_counted_in_groups() -> None:
    judge = deciding(duration_s=60.0)
    tally = by_user(judge, [10] * (MOST_USERS + 3), 10)
    assert len(tally.users) == MOST_USERS
    counts = judge._counts_of(600, tally)
    assert counts is not None and sorted(counts.senders[0].ended) == [10] * (MOST_USERS - 3) + [20] * 3


def test_the_pace_of_users_is_theirs_however_many_a_group_has() -> None:
    """35 users who are answered once a second make 2,100 transactions a minute: in each group as in all."""
    config = {
        "models": [{"id": "amazon.nova-lite-v1:0"}],
        "objectives": {"transactions_per_minute": 2000},
        "load": {"until": "decided"},
    }
    judge = WindowJudge(Config.model_validate(config))
    slices = Slices(judge.counting, {})
    slices.of_users(range(35))
    for user, second in itertools.product(range(35), range(100)):
        slices.completed(second, record(user=user))
    counts = judge._counts_of(100, Tally(slices=slices.rows, users=slices.users))
    assert counts is not None and counts.senders[0].per_minute == pytest.approx(np.full(MOST_USERS, 2100))


@pytest.mark.parametrize("users", [4, 8, 16])
def test_at_the_limit_users_who_differ_end_a_window_seldom(users: int) -> None:
    """100 windows of 600 s of users in whose requests 5 % are slow, each his own share (log-normal, 0.8; that is what latencies
    that differ by 30 % make of p95). By time alone 20 and more of 100 end; at most 5 may."""
    rng, ended = np.random.default_rng(9), [0, 0]
    for _ in range(100):
        own = 0.05 * np.exp(0.8 * rng.standard_normal(users) - 0.32)
        sent = rng.poisson(4, (120, users))
        slow = rng.binomial(sent, np.minimum(own, 1))
        for place, knows_users in enumerate((False, True)):
            ended[place] += any(_look(sent[:blocks], slow[:blocks], knows_users) for blocks in (12, 20, 33, 55, 90, 120))
    assert ended[0] >= 15 and ended[1] <= 5, ended


def _look(sent: Any, slow: Any, knows_users: bool) -> bool:
    by_time, by_user = (counts((sent - slow).sum(axis=axis), sent.sum(axis=axis)) for axis in (1, 0))
    return decided(LIMIT, replace(by_time, senders=(by_user,) if knows_users else ()))

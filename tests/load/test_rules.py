"""The pure rules: when a run stops, what the budget lets through, what the counts add up to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmbench.config.schema import Budget, Load
from fmbench.core.failures import OURS, FailureKind
from fmbench.core.records import Cell, Exchange, Record
from fmbench.load.controller.budget import RunBudget
from fmbench.load.controller.interrupts import Stop
from fmbench.load.controller.stopping import TargetWatch, Watches, window_over
from fmbench.load.tally import Tally, percentile, total
from fmbench.load.wire import from_plain, to_plain
from fmbench.load.worker.lease import Lease, cost_to_settle


def test_requests_that_cost_more_than_thought_possible_make_the_next_ones_count_for_more() -> None:
    """A service that counts four times our tokens: only what was in flight when that was learned can pass the limit."""
    lease = Lease(requests=None, usd=10.0)
    assert lease.reserve(1.0)
    lease.settle(1.0, 4.0)
    assert lease.reserve(1.0), "4 spent, and one that can cost 4"
    assert not lease.reserve(1.0), "4 spent, 4 in flight, and one that can cost 4"
    assert lease.used_usd == 8.0


def test_a_target_is_down_after_ten_seconds_without_an_answer_of_any_kind() -> None:
    watch = TargetWatch()
    for second in range(10):
        watch.observe(second, 0, {"connect": 1, "dns": 1})
        assert not watch.down(second)
    watch.observe(10, 0, {})
    assert watch.down(10)


@pytest.mark.parametrize("answer", [(1, {}), (0, {"throttled_requests": 1}), (0, {"internal": 3, "connect": 9})])
def test_any_answer_says_that_the_target_is_there(answer: tuple[int, dict[str, int]]) -> None:
    watch = TargetWatch()
    watch.observe(0, 0, {"connect": 50})
    watch.observe(9, *answer)
    watch.observe(11, 0, {"connect": 50})
    assert not watch.down(20)
    assert watch.down(21)


def test_an_endpoint_that_was_never_reached_is_told_from_one_that_answered() -> None:
    watch = TargetWatch()
    assert not watch.never_there
    watch.observe(0, 0, {"connect": 2})
    assert watch.never_there and not watch.down(1)
    watch.observe(1, 0, {"throttled": 1, "connect": 2})
    watch.observe(2, 0, {"connect": 2})
    assert not watch.never_there


def test_a_few_failures_in_a_long_time_do_not_say_that_it_is_down() -> None:
    watch = TargetWatch()
    watch.observe(0, 0, {"timeout_connect": 4})
    assert not watch.down(60)


SHORT, LONG = (Cell(number, "m", "some.m", "converse", "d", bucket, 1) for number, bucket in ((0, "en_1-2"), (1, "en_3-4")))
DENIED, OVERLONG = {"access_denied": 5}, {"too_long": 5}
SAID = {"too_long": "Input is too long for requested model.", "access_denied": "You don't have access."}


def test_what_an_account_causes_costs_the_model_after_enough_refusals_and_nothing_else() -> None:
    watches = Watches()
    watches.observe(SHORT, 0, {"access_denied": 4}, SAID)
    assert watches.why_left_out(SHORT) is None
    watches.observe(SHORT, 0, {"access_denied": 1}, SAID)
    reason = watches.why_left_out(LONG)
    assert reason is not None and 'access_denied (5): "You don\'t have access."' in reason and "bedrock:InvokeModel" in reason


def test_what_a_bucket_s_prompts_cause_costs_that_bucket_in_any_order() -> None:
    first, last = Watches(), Watches()
    first.observe(LONG, 0, OVERLONG, SAID)
    first.observe(SHORT, 9, {}, SAID)
    last.observe(SHORT, 9, {}, SAID)
    last.observe(LONG, 0, OVERLONG, SAID)
    for watches in (first, last):
        assert watches.why_left_out(SHORT) is None
        assert "Input is too long for requested model." in (watches.why_left_out(LONG) or "")


def test_a_parameter_that_a_model_turns_down_costs_the_model_and_is_named() -> None:
    watches = Watches()
    watches.observe(LONG, 0, {"validation": 5}, {"validation": "`temperature` is deprecated for this model."})
    assert "inference.temperature" in (watches.why_left_out(SHORT) or "")


@pytest.mark.parametrize("answer", [(1, {}), (0, {"throttled": 1}), (0, {"internal": 1})])
def test_what_answered_once_is_never_left_out(answer: tuple[int, dict[str, int]]) -> None:
    watches = Watches()
    watches.observe(SHORT, *answer, {})
    watches.observe(SHORT, 0, {"access_denied": 1000, "too_long": 1000}, SAID)
    assert watches.why_left_out(SHORT) is None


@pytest.mark.parametrize("kind", sorted(OURS))
def test_what_lies_with_who_asks_stops_the_run_and_is_held_against_no_model(kind: str) -> None:
    watches = Watches()
    watches.observe(SHORT, 70, {kind: 1}, {kind: "it is over"})
    with pytest.raises(Stop, match="it is over") as stop:
        watches.observe(SHORT, 0, {kind: 2}, {kind: "it is over"})
    assert stop.value.ended == "credentials"
    assert watches.why_left_out(SHORT) is None


def test_one_refused_signature_among_answers_stops_nothing() -> None:
    watches = Watches()
    for _ in range(10):
        watches.observe(SHORT, 5, {"expired_credentials": 1}, {})
    assert watches.why_left_out(SHORT) is None


@pytest.mark.parametrize(
    ("elapsed", "measured", "decided", "over"),
    [(29, 99, True, False), (30, 19, True, False), (30, 20, True, True), (30, 20, False, False), (300, 0, False, True)],
)
def test_a_window_ends_when_it_is_long_and_full_enough_or_at_its_cap(
    elapsed: float, measured: int, decided: bool, over: bool
) -> None:
    assert window_over(Load(duration_s=30, min_requests=20), elapsed, measured, decided) is over


@given(
    limit=st.floats(0.0, 10.0),
    bounds=st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 1.0), st.booleans()), max_size=40),
)
def test_no_order_of_requests_passes_the_lease(limit: float, bounds: list[tuple[float, float, bool]]) -> None:
    """``bounds``: what each may cost, which share of it it costs, and whether it ends before the next one starts."""
    lease = Lease(requests=None, usd=limit)
    worst = 0.0
    for bound, share, ends in bounds:
        if not lease.reserve(bound):
            assert lease.exhausted
            assert not lease.reserve(0.0)
            break
        worst += bound * share if ends else bound
        if ends:
            lease.settle(bound, bound * share)
        assert worst <= limit * (1 + 1e-9)


def test_without_a_price_a_dollar_budget_lets_nothing_through() -> None:
    assert not Lease(requests=None, usd=5.0).reserve(None)
    assert Lease(requests=None, usd=None).reserve(None)


@given(left=st.integers(0, 500), users=st.dictionaries(st.text(max_size=2), st.integers(0, 9), min_size=1, max_size=6))
def test_leases_share_out_what_is_left_and_no_more(left: int, users: dict[str, int]) -> None:
    budget = RunBudget(Budget(max_requests=1000, max_usd=10.0), requests=1000 - left, usd=4.0)
    leases = budget.lease(users)
    requests = [requests or 0 for requests, _ in leases.values()]
    assert sum(requests) == (left if any(users.values()) else 0)
    assert math.fsum(usd or 0.0 for _, usd in leases.values()) <= 6.0 * (1 + 1e-9)
    assert all(requests == 0 and usd == 0 for worker, (requests, usd) in leases.items() if users[worker] == 0)


def test_what_may_have_been_billed_stays_taken() -> None:
    def cost(failure: FailureKind | None, sent: bool, usd: float | None) -> float:
        return cost_to_settle(Exchange(started_ns=0, sent_ns=1 if sent else None, failure=failure), usd, 9.0)

    assert cost(None, True, 2.5) == 2.5
    assert cost(FailureKind.CONNECT, False, None) == 0.0
    assert cost(FailureKind.THROTTLED_TOKENS, True, None) == 0.0
    assert cost(FailureKind.ACCESS_DENIED, True, None) == 0.0
    assert cost(FailureKind.THROTTLED_IN_STREAM, True, None) == 9.0
    assert cost(FailureKind.RESET_IN_STREAM, True, None) == 9.0
    assert cost(FailureKind.TIMEOUT_FIRST_BYTE, True, None) == 9.0
    assert cost(FailureKind.TRUNCATED, True, 1.5) == 1.5


def a_record(ttft_s: float) -> Record:
    return Record(
        run_id="r", worker="w", user=0, seq=0, model="m", model_id="m", api="converse", dataset="d", bucket="b", concurrency=1,
        cell=0, block=0, phase="measure", task="t", prompt_id="p", outcome="ok", ttft_s=ttft_s, output_tokens=2, usd=0.25,
    )  # fmt: skip


@given(st.lists(st.floats(0.001, 100.0), min_size=1, max_size=60), st.integers(1, 4))
def test_tallies_of_many_workers_add_up_to_that_of_one(latencies: list[float], workers: int) -> None:
    tallies = [Tally() for _ in range(workers)]
    for index, latency in enumerate(latencies):
        tallies[index % workers].sent += 1
        tallies[index % workers].add(a_record(latency))
    summed = total(from_plain(Tally, to_plain(tally)) for tally in tallies)
    assert (summed.sent, summed.done, summed.ok, summed.measured) == (len(latencies),) * 4
    assert summed.usd == pytest.approx(0.25 * len(latencies))
    assert summed.window.output_tokens == 2 * len(latencies)
    median = sorted(latencies)[math.ceil(len(latencies) / 2) - 1]
    assert percentile(summed.window.ttft, 0.5) == pytest.approx(median, rel=0.011)

"""The decision, on small studies whose right answer is plain."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmbench.core import summary
from fmbench.core.reasons import LimitWouldDecide
from tests.unit.made import Cellful, failed, row, run_of, summarise

LIMITS = {"e2e_p95_s": 2.0, "error_rate": 0.05}


def ladder(
    model: str,
    latency: dict[int, float],
    usd: float | None = 0.001,
    count: int = 120,
    bucket: str = "en_1-500",
    noise: float = 0.05,
) -> list[Cellful]:
    """A model's cells: at each level of users so many requests of about so many seconds, costing about ``usd`` each."""
    rng = np.random.default_rng(sum(map(ord, model)))
    cells = []
    for users, seconds in latency.items():
        starts = [k * seconds / users for k in range(count)]
        values = seconds * rng.lognormal(0, noise, count)
        costs = [None] * count if usd is None else list(usd * rng.lognormal(0, 0.05, count))
        made = [row(at, float(e2e), usd=cost) for at, e2e, cost in zip(starts, values, costs, strict=True)]
        cells.append(Cellful(made, model, bucket, users, window=(0.0, starts[-1] + seconds)))
    return cells


def verdict_of(cells: list[Cellful], objectives: dict[str, Any]) -> dict[str, Any]:
    records, manifest = run_of(cells, objectives)
    summary = summarise(records, manifest, pd.DataFrame())
    assert summary["recommendation"] == summary["verdicts"][0]["recommendation"]
    return dict(summary["verdicts"][0])


def chosen(verdict: dict[str, Any]) -> tuple[str, int] | None:
    found = verdict["recommendation"]
    return None if found is None else (found["model"], found["concurrency"])


def test_the_cheapest_of_the_feasible_at_its_most_users() -> None:
    cells = ladder("dear", {1: 0.5, 4: 0.6, 8: 0.7}, usd=0.01) + ladder("cheap", {1: 1.0, 4: 1.2, 8: 3.0}, usd=0.001)
    verdict = verdict_of(cells, LIMITS)
    assert (verdict["status"], chosen(verdict)) == ("recommended", ("cheap", 4))
    margin = verdict["runner_up"]["margin"]
    assert verdict["runner_up"]["model"] == "dear"
    assert margin["difference"] == pytest.approx(90, rel=0.05)  # 10,000 x (0.010 - 0.001)
    assert margin["ci95"][0] < margin["difference"] < margin["ci95"][1]
    assert any("At 8 users cheap does not meet" in note for note in verdict["what_would_change"])


def test_preferences_choose_among_the_same_models() -> None:
    made = (("cheap", {2: 1.5}, 0.001), ("quick", {2: 0.3}, 0.003), ("many", {16: 1.7}, 0.002))
    cells = [cell for name, levels, usd in made for cell in ladder(name, levels, usd=usd, count=900)]
    assert chosen(verdict_of(cells, LIMITS | {"prefer": "cost"})) == ("cheap", 2)
    assert chosen(verdict_of(cells, LIMITS | {"prefer": "latency"})) == ("quick", 2)
    assert chosen(verdict_of(cells, LIMITS | {"prefer": "throughput"})) == ("many", 16)


def test_a_cheaper_model_that_fails_is_not_chosen() -> None:
    cells = ladder("cheap", {4: 5.0}, usd=0.0001) + ladder("dear", {4: 1.0}, usd=0.01)
    verdict = verdict_of(cells, LIMITS)
    assert chosen(verdict) == ("dear", 4)
    assert {row["model"]: row["status"] for row in verdict["models"]} == {"cheap": "not_met", "dear": "met"}


def test_a_tie_goes_to_the_cheaper() -> None:
    cells = ladder("one", {4: 1.0}, usd=0.004, noise=0.3) + ladder("two", {4: 1.0}, usd=0.002, noise=0.3)
    verdict = verdict_of(cells, LIMITS | {"prefer": "latency"})
    assert chosen(verdict) == ("two", 4)
    assert verdict["recommendation"]["tied_with"] == ["one"]
    assert verdict["recommendation"]["cheaper"] is True
    assert "cannot be told" in verdict["reason"]


def test_no_winner_where_none_is_feasible() -> None:
    verdict = verdict_of(ladder("near", {4: 2.6}) + ladder("far", {4: 9.0}), LIMITS)
    assert (verdict["status"], chosen(verdict)) == ("none_feasible", None)
    assert verdict["nearest"]["model"] == "near"
    fails = verdict["nearest"]["fails"]
    assert [item["objective"] for item in fails] == ["e2e_p95_s"]
    assert fails[0]["by"] == pytest.approx(fails[0]["value"] / 2.0 - 1)
    assert "near at 4 users" in verdict["reason"]


def test_undecided_says_what_it_would_take() -> None:
    verdict = verdict_of(ladder("young", {4: 0.5}, count=40), LIMITS)
    assert (verdict["status"], chosen(verdict)) == ("undecided", None)
    assert verdict["nearest"]["requests_needed"] == 32
    assert "32 requests more" in verdict["reason"]


def test_a_better_model_that_is_undecided_makes_the_choice_uncertain() -> None:
    verdict = verdict_of(ladder("young", {4: 0.5}, usd=0.0001, count=40) + ladder("sure", {4: 1.0}, usd=0.01), LIMITS)
    assert chosen(verdict) == ("sure", 4)
    assert verdict["recommendation"]["certain"] is False
    assert any("young at 4 users would be better, and is undecided" in note for note in verdict["what_would_change"])
    assert verdict["recommendation"]["doubts"] == [note for note in verdict["what_would_change"] if "young" in note]


def test_a_level_above_a_failed_one_is_not_the_highest() -> None:
    verdict = verdict_of(ladder("odd", {1: 0.5, 4: 5.0, 8: 0.5}), LIMITS)
    assert chosen(verdict) == ("odd", 1)
    assert verdict["models"][0]["highest_concurrency"] == 1


def test_each_model_stands_at_the_level_that_it_is_compared_by() -> None:
    for prefer, level in (("cost", 4), ("latency", 1), ("throughput", 4)):
        cells = ladder("a", {1: 0.5, 4: 0.9}) + ladder("b", {1: 0.6, 4: 1.0})
        rows = verdict_of(cells, {**LIMITS, "prefer": prefer})["models"]
        assert [row["point"]["concurrency"] for row in rows] == [level, level]
        assert [row["highest_concurrency"] for row in rows] == [4, 4]
    [row] = verdict_of(ladder("slow", {1: 9.0}), LIMITS)["models"]
    assert row["point"] is None


def test_a_model_that_meets_above_a_level_in_doubt_is_not_said_to_meet() -> None:
    """71 of the 72 answers that a p95 takes with one user; 80 with four hold at 2.5 %, and not at half of it."""
    young = ladder("young", {1: 0.5}, usd=0.0001, count=71) + ladder("young", {4: 0.5}, usd=0.0001, count=80)
    verdict = verdict_of(young + ladder("sure", {1: 0.5}), {"e2e_p95_s": 2.0})
    row = next(row for row in verdict["models"] if row["model"] == "young")
    assert (chosen(verdict), row["status"], row["closest"]["concurrency"]) == (("sure", 1), "undecided", 1)
    assert row["closest"]["requests_needed"] == 1 and row["point"] is None
    assert verdict["reason"].endswith("no other model is shown to.")
    alone = verdict_of(young, {"e2e_p95_s": 2.0})
    assert (alone["status"], alone["nearest"]["concurrency"]) == ("undecided", 1)


def test_a_model_that_fails_below_a_level_that_meets_is_shown_by_what_fails() -> None:
    odd = ladder("odd", {1: 5.0}) + ladder("odd", {4: 0.5}, count=80)
    verdict = verdict_of(odd, {"e2e_p95_s": 2.0})
    assert (verdict["status"], verdict["nearest"]["concurrency"], verdict["models"][0]["status"]) == (
        "none_feasible",
        1,
        "not_met",
    )
    assert "odd at 1 user: end to end p95 ≤ 2 s is not met" in verdict["reason"]


def test_without_an_objective_nobody_is_said_to_meet_any() -> None:
    for cells in (ladder("a", {1: 0.5}), ladder("a", {1: 0.5}) + ladder("b", {1: 0.5}, usd=1.0)):
        reason = verdict_of(cells, {})["reason"]
        assert reason.startswith("No objective is set: a at 1 user is chosen") and "meets" not in reason
    unpriced = verdict_of(ladder("a", {1: 0.5}) + ladder("b", {1: 0.5}, usd=None), {})
    assert [doubt.partition(":")[0] for doubt in unpriced["recommendation"]["doubts"]] == ["The price of b is not known"]


def test_a_runner_up_by_throughput_is_said_in_one_unit() -> None:
    """A user who waits 1.5 s an answer gets 40 a minute, one who waits 1 s 60."""
    cells = ladder("quick", {1: 1.0}) + ladder("slow", {1: 1.5})
    reason = verdict_of(cells, {**LIMITS, "prefer": "throughput"})["reason"]
    assert re.search(r"slow at 1 user answers [\d.]+ \(95 %: [\d.]+ to [\d.]+\) fewer a minute\.$", reason)


def test_errors_count_against_a_model() -> None:
    broken = ladder("broken", {4: 0.5}, usd=0.0001)
    broken[0].rows += [failed(k / 3 + 0.1, "internal") for k in range(30)]
    assert chosen(verdict_of(broken + ladder("sound", {4: 1.0}), LIMITS)) == ("sound", 4)


def test_without_any_price_latency_decides_and_it_is_said() -> None:
    verdict = verdict_of(ladder("slow", {4: 1.0}, usd=None) + ladder("fast", {4: 0.3}, usd=None), LIMITS)
    assert chosen(verdict) == ("fast", 4)
    assert "no price is known" in verdict["reason"]


def test_the_pareto_set_has_no_beaten_cell() -> None:
    cells = ladder("good", {4: 0.5}, usd=0.001) + ladder("worse", {4: 1.0}, usd=0.002) + ladder("quick", {1: 0.2}, usd=0.009)
    verdict = verdict_of(cells, LIMITS)
    assert {(item["model"], item["concurrency"]) for item in verdict["pareto"]} == {("good", 4), ("quick", 1)}


def test_every_bucket_has_its_answer_and_the_bucket_of_interest_is_the_runs() -> None:
    cells = ladder("a", {4: 0.5}, usd=0.001) + ladder("b", {4: 1.0}, usd=0.002)
    cells += ladder("a", {4: 5.0}, usd=0.001, bucket="en_500-1000") + ladder("b", {4: 1.0}, usd=0.002, bucket="en_500-1000")
    records, manifest = run_of(cells, LIMITS | {"bucket": "en_500-1000"})
    summary = summarise(records, manifest, pd.DataFrame())
    answers = {verdict["bucket"]: chosen(verdict) for verdict in summary["verdicts"]}
    assert answers == {"en_1-500": ("a", 4), "en_500-1000": ("b", 4)}
    assert (summary["recommendation"]["bucket"], summary["recommendation"]["model"]) == ("en_500-1000", "b")


def test_a_bucket_of_interest_that_was_not_run_has_no_answer() -> None:
    records, manifest = run_of(ladder("a", {4: 0.5}), LIMITS | {"bucket": "en_9000-9999"})
    summary = summarise(records, manifest, pd.DataFrame())
    assert summary["recommendation"] is None
    assert "en_9000-9999" in summary["recommendation_reason"]


def of_price(model: str, usd: float | None, seconds: float = 1.0, count: int = 120) -> Cellful:
    """A cell of one user whose every request costs the same."""
    values = seconds * np.random.default_rng(sum(map(ord, model))).lognormal(0, 0.05, count)
    made = [row(k * seconds, float(value), usd=usd) for k, value in enumerate(values)]
    return Cellful(made, model, window=(0.0, (count + 1) * seconds))


def test_equal_prices_have_no_cheaper_model() -> None:
    verdict = verdict_of([of_price("a", 0.001), of_price("b", 0.001)], LIMITS)
    assert "costs the same" in verdict["reason"] and "cheaper" not in verdict["reason"]
    assert verdict["recommendation"]["cheaper"] is False


def test_what_cost_less_by_chance_is_not_called_the_cheaper() -> None:
    """Two models whose answers cost $0.001, give or take a tenth, 120 each: the mean scatters by 0.9 %, a difference by 1.3 %."""
    cells = [of_price("a", 0.001), of_price("b", 0.001)]
    for cell, seed in zip(cells, (1, 2), strict=True):
        for made, factor in zip(cell.rows, np.random.default_rng(seed).lognormal(0, 0.1, 120), strict=True):
            made["usd"] = made["usd"] * factor
    by_latency, by_cost = (verdict_of(cells, LIMITS | {"prefer": prefer}) for prefer in ("latency", "cost"))
    for verdict in (by_latency, by_cost):
        assert verdict["recommendation"]["tied_with"] and verdict["recommendation"]["cheaper"] is False
    assert "cheaper" not in by_latency["reason"] and "it cost less, inside the noise" in by_latency["reason"]
    assert "less" not in by_cost["reason"], "cost is what cannot be told"


def test_a_tie_with_a_model_of_unknown_price_is_no_matter_of_cost() -> None:
    verdict = verdict_of([of_price("a", 0.001), of_price("b", None)], LIMITS | {"prefer": "latency"})
    assert "cannot be told from it" in verdict["reason"] and "cheap" not in verdict["reason"]
    assert verdict["recommendation"]["cheaper"] is False


def test_a_tie_without_prices_is_no_matter_of_cost() -> None:
    verdict = verdict_of([of_price("a", None), of_price("b", None)], LIMITS)
    assert "cannot be told from it" in verdict["reason"]
    assert "cheap" not in verdict["reason"] and "costs the same" not in verdict["reason"]


def test_the_cheapest_is_not_certain_while_a_price_is_missing() -> None:
    verdict = verdict_of([of_price("a", None), of_price("b", 0.001), of_price("c", 0.003)], LIMITS)
    assert (chosen(verdict), verdict["recommendation"]["certain"]) == (("b", 1), False)
    assert any("price of a" in note and "$10.00" in note for note in verdict["what_would_change"])


def test_what_answered_nothing_is_never_chosen() -> None:
    """Not even by objectives that failures cannot break."""
    cells = [Cellful([failed(0.1 * k, "internal") for k in range(90)], model) for model in "ab"]
    verdict = verdict_of(cells, {"error_rate": 1.0})
    assert (chosen(verdict), verdict["status"]) == (None, "undecided")
    assert "no request was answered" in verdict["reason"]


def test_without_a_limit_what_is_shown_to_fail_too_much_is_ruled_out_and_nothing_is_said_to_meet_one() -> None:
    rows = [row(float(k)) for k in range(100)]
    some = rows + [failed(k + 0.5, "internal") for k in range(1)]
    many = rows + [failed(k + 0.5, "internal") for k in range(0, 100, 10)]
    for made, names, meets in ((rows, [], True), (some, [], True), (many, ["error_rate"], False)):
        records, manifest = run_of([Cellful(made, window=(0.0, 101.0))], {"e2e_p50_s": 5.0})
        cell = summarise(records, manifest, pd.DataFrame())["cells"][0]
        assert [item["objective"] for item in cell["objectives"] if item["objective"] == "error_rate"] == names
        assert cell["meets_objectives"] is meets


@pytest.mark.parametrize(
    ("rival", "said"),
    [
        ([], "no other model was measured"),
        ([of_price("b", 0.0005, 5.0)], "no other model does"),
        ([of_price("b", 0.0005, count=30)], "no other model is shown to"),
    ],
)
def test_of_rivals_no_more_is_said_than_is_known(rival: list[Cellful], said: str) -> None:
    assert said in verdict_of([of_price("a", 0.001), *rival], LIMITS)["reason"]


def test_a_failed_objective_is_named_with_what_it_has() -> None:
    """Two of a hundred failed: 1.96 %."""
    rows = [row(float(k)) for k in range(100)] + [failed(3.0, "internal"), failed(4.0, "internal")]
    verdict = verdict_of([Cellful(rows, window=(0.0, 101.0))], {"error_rate": 0.0})
    assert "error rate ≤ 0 % is not met (it has 1.96 %)" in verdict["reason"]


@pytest.mark.parametrize("prefer", ["cost", "throughput", "latency"])
@pytest.mark.parametrize("seed", range(4))
def test_what_would_change_the_answer_does_when_it_is_tried(prefer: str, seed: int) -> None:
    """Cheap and slow against dear and fast, at three levels: each limit that is named is set, and the run judged again."""
    random = np.random.default_rng(seed)
    cells = []
    for number, (model, usd, base) in enumerate((("slow", 0.001, 0.8), ("fast", 0.004, 0.3), ("faster", 0.02, 0.15))):
        for level in (1, 2, 4):
            values = base * (1 + 0.3 * level) * random.lognormal(0, 0.1, 120)
            rows = [row(k / 12, float(value), usd=usd) for k, value in enumerate(values)]
            cells.append(Cellful(rows, model, concurrency=level, start=100.0 * number + 20 * level))
    limits = {"e2e_p95_s": 9.0, "ttft_p75_s": 5.0, "error_rate": 0.05, "prefer": prefer}
    records, manifest = run_of(cells, limits)
    messages = [
        message
        for message in summary.summarise(records, manifest, pd.DataFrame())["verdicts"][0]["what_would_change"]
        if isinstance(message, LimitWouldDecide)
    ]
    assert messages or prefer != "cost"
    for message in messages:
        tried = run_of(cells, limits | {message.objective: message.limit})
        chosen = summarise(*tried, pd.DataFrame())["recommendation"]
        assert (chosen["model"], chosen["concurrency"]) == (message.instead.model, message.instead.users)


def test_a_level_above_one_that_failed_is_never_certain() -> None:
    """The lowest level fails, all above meet: what is picked is said to be uncertain, and why."""
    verdict = verdict_of(ladder("a", {1: 2.5, 2: 1.0, 4: 1.1, 8: 1.2}), LIMITS)
    assert verdict["recommendation"]["certain"] is False
    assert any("no level above one that failed is certain" in note for note in verdict["what_would_change"])


def test_a_level_above_one_that_may_well_fail_is_not_certain_and_what_it_takes_is_said() -> None:
    """At one user 30 answers within the limit: p95 takes 72 (0.95 ** 72 < 2.5 %), so 42 more. Users 2 and 4 are beyond doubt."""
    cells = [*ladder("young", {1: 0.5}, count=30), *ladder("young", {2: 0.5, 4: 0.5}, count=300)]
    verdict = verdict_of(cells, {"e2e_p95_s": 2.0})
    assert (chosen(verdict), verdict["recommendation"]["certain"]) == (("young", 4), False)
    assert any("At only 1 user of young it is undecided" in note for note in verdict["what_would_change"])
    assert [(part["concurrency"], part["requests"]) for part in verdict["to_settle"]["parts"]] == [(1, 42)]
    for count in (70, 300):  # two requests too few say nothing against a level
        sure = [*ladder("young", {1: 0.5}, count=count), *ladder("young", {2: 0.5, 4: 0.5}, count=300)]
        assert verdict_of(sure, {"e2e_p95_s": 2.0})["recommendation"]["certain"] is True


def test_a_level_above_an_undecided_one_that_missed_the_limit_is_not_certain() -> None:
    """At one user 6 of 60 answers are too slow: twice the 5 % that p95 allows, and not beyond chance."""
    low = ladder("a", {1: 0.5}, count=54)[0]
    low.rows += [row(27.0 + k / 10, 4.0) for k in range(6)]
    verdict = verdict_of([low, *ladder("a", {2: 0.5, 4: 0.5}, count=300)], {"e2e_p95_s": 2.0})
    assert verdict["models"][0]["levels"] == {"1": None, "2": True, "4": True}
    assert (chosen(verdict), verdict["recommendation"]["certain"]) == (("a", 4), False)


def test_of_levels_below_the_one_that_failed_is_named() -> None:
    cells = [*ladder("a", {1: 1.0}, count=7), *ladder("a", {2: 4.0, 4: 1.0}, count=300)]
    verdict = verdict_of(cells, {"e2e_p95_s": 2.0})
    assert (chosen(verdict), verdict["recommendation"]["certain"]) == (("a", 4), False)
    assert any("At only 2 users a does not meet" in note for note in verdict["what_would_change"])


def test_a_level_above_an_undecided_one_has_to_hold_beyond_any_levels_chance() -> None:
    """Of 76 answers all within p95's limit are just enough for one level, and not for the best of five."""
    few = [cell for level in (1, 2, 4, 8) for cell in ladder("a", {level: 1.0}, count=40)]
    lucky, sure = ladder("a", {16: 1.0}, count=80), ladder("a", {16: 1.0}, count=150)
    limits = {"e2e_p95_s": 2.0}
    assert chosen(verdict_of([*few, *lucky], limits)) is None
    assert chosen(verdict_of([*few, *sure], limits)) == ("a", 16)


def test_the_row_of_a_model_shows_the_level_that_says_most() -> None:
    cells = ladder("a", {1: 1.0}, count=7) + ladder("a", {2: 1.0}, count=60)
    row = verdict_of(cells, {"e2e_p95_s": 2.0})["models"][0]
    assert (row["status"], row["closest"]["concurrency"]) == ("undecided", 2)


def test_what_is_mostly_refused_is_on_no_front_and_noise_is_none() -> None:
    refused = ladder("refused", {1: 0.1}, usd=0.0001)[0]
    refused.rows += [failed(0.01 * k, "throttled") for k in range(900)]
    verdict = verdict_of([refused, *ladder("a", {1: 1.0}, usd=0.001), *ladder("b", {1: 1.005}, usd=0.002)], LIMITS)
    assert {point["model"] for point in verdict["pareto"]} == {"a"}


def test_a_difference_of_less_than_one_per_cent_decides_nothing() -> None:
    cells = ladder("a", {1: 1.0}, usd=0.001, noise=0.001) + ladder("b", {1: 1.0}, usd=0.001005, noise=0.001)
    assert verdict_of(cells, LIMITS)["recommendation"]["tied_with"] == ["b"]

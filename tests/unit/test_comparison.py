"""Comparisons of made runs whose difference is known, and of runs that do not differ."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fmbench.core.comparison import compare_cells, run_of
from fmbench.core.failures import UnusableInput
from fmbench.core.multiplicity import gatekept, holm, hommel
from fmbench.core.rules import parse_rule
from fmbench.core.rulings import compare
from fmbench.report.comparison import data, markdown
from tests.unit.made import Cellful, failed, row
from tests.unit.made import run_of as made_run


def cell(
    seed: int, factor: float = 1.0, count: int = 200, model: str = "a", errors: int = 0, start: float = 0.0, **line: Any
) -> Cellful:
    """A cell of one user that never rests, whose latency is log-normal around ``factor`` seconds."""
    rng = np.random.default_rng(seed)
    values = factor * rng.lognormal(0, 0.3, count)
    at = start + np.concatenate([[0.0], np.cumsum(values)[:-1]])
    rows = [row(float(sent), float(e2e), **line) for sent, e2e in zip(at, values, strict=True)]
    rows += [failed(start + float(place), "internal") for place in rng.uniform(0, values.sum(), errors)]
    return Cellful(rows, model, start=start, window=(0.0, float(values.sum())), line=line)


def study(*cells: Cellful, name: str = "run", **manifest: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    records, made = made_run(list(cells), {}, **manifest)
    return records, made | {"run_id": name}


def test_a_run_does_not_differ_from_itself() -> None:
    found = compare(study(cell(1)), study(cell(1)), ["ttft_p95 +10%"])
    changes = found.cells[0].changes
    assert {change.verdict for change in changes} == {"same"}
    assert all(change.change == pytest.approx(0) for change in changes)
    assert not found.regression


def test_a_slower_run_is_worse_by_so_much() -> None:
    found = compare(study(cell(1)), study(cell(2, 1.5)), ["e2e_p95 +10%", "ttft_p50 +80%", "transactions_per_minute -10%"])
    by_figure = {change.figure: change for change in found.cells[0].changes}
    slower = by_figure["e2e_p95"]
    assert slower.verdict == "worse"
    assert slower.ci95 is not None and slower.ci95[0] < 0.5 < slower.ci95[1]
    assert by_figure["transactions_per_minute"].verdict == "worse"
    assert by_figure["transactions_per_minute"].change == pytest.approx(-1 / 3, abs=0.1)
    assert by_figure["error_rate"].verdict == by_figure["usd_per_10k"].verdict == "same"
    assert [ruling.status for ruling in found.rulings] == ["broken", "passed", "broken"]
    assert found.regression


def test_faster_is_better_and_no_regression() -> None:
    found = compare(study(cell(1)), study(cell(2, 0.5)), ["e2e_p95 +10%"])
    assert {change.figure: change.verdict for change in found.cells[0].changes}["e2e_p95"] == "better"
    assert not found.regression


def test_more_errors_are_worse_in_points() -> None:
    found = compare(study(cell(1)), study(cell(2, errors=40)), ["error_rate +0.05"])
    errors = next(change for change in found.cells[0].changes if change.figure == "error_rate")
    assert (errors.verdict, errors.change) == ("worse", pytest.approx(40 / 240))
    assert found.regression


def test_small_samples_are_compared_by_a_percentile_that_they_can_state() -> None:
    found = compare(study(cell(1, count=30)), study(cell(2, 2.5, count=30)), ["ttft_p95 +10%"])
    assert "ttft_p95" not in {change.figure for change in found.cells[0].changes}
    assert found.rulings[0].change is not None and found.rulings[0].change.figure == "ttft_p50"
    assert found.regression


def test_noise_is_rarely_called_a_difference() -> None:
    """Holm keeps the chance of any false claim under 5 % a comparison: of 30 comparisons of equals, at most 5 (else p < 0.01)."""
    claims = 0
    for seed in range(30):
        found = compare(study(cell(1000 + seed, count=100)), study(cell(2000 + seed, count=100)))
        claims += any(change.verdict != "same" for change in found.cells[0].changes)
    assert claims <= 5


def test_costs_are_told_apart_as_welch_does() -> None:
    rng = np.random.default_rng(5)
    costs = [0.001 * rng.lognormal(0, 0.2, 60), 0.00106 * rng.lognormal(0, 0.2, 60)]
    runs = [study(Cellful([row(k / 7, usd=float(value)) for k, value in enumerate(values)])) for values in costs]
    cost = change_of(compare(*runs), "usd_per_10k")
    assert cost.p == pytest.approx(stats.ttest_ind(*costs, equal_var=False).pvalue, abs=0.02)


def test_repeats_are_compared_as_wholes() -> None:
    """Each of six repeats has a level of its own, far apart: 600 requests, but only six against six."""
    levels = np.random.default_rng(3).lognormal(0, 0.6, 12)
    runs = []
    for half in (levels[:6], levels[6:]):
        cells = [cell(number, float(level), 100, start=1000.0 * number, block=number) for number, level in enumerate(half)]
        runs.append(study(*cells))
    found = compare(*runs)
    assert {change.verdict for change in found.cells[0].changes} == {"same"}


@given(st.lists(st.none() | st.floats(0, 1), max_size=7))
def test_hommel_is_the_closure_of_simes(chances: list[float | None]) -> None:
    """A test's corrected p is the largest of Simes' p over all sets of tests that it is in."""
    known = [chance for chance in chances if chance is not None]

    def of_set(chosen: tuple[float, ...]) -> float:
        return min(len(chosen) * chance / rank for rank, chance in enumerate(sorted(chosen), 1))

    sets = [chosen for size in range(1, len(known) + 1) for chosen in combinations(range(len(known)), size)]
    wanted = [
        max(of_set(tuple(known[place] for place in chosen)) for chosen in sets if number in chosen)
        for number in range(len(known))
    ]
    corrected = hommel(chances)
    assert [value is None for value in corrected] == [chance is None for chance in chances]
    assert [value for value in corrected if value is not None] == pytest.approx([min(1.0, each) for each in wanted])


@given(st.lists(st.none() | st.floats(0, 1), max_size=30))
def test_holm_is_scipys(chances: list[float | None]) -> None:
    known = sorted(chance for chance in chances if chance is not None)
    written_out: dict[float, float] = {}
    highest = 0.0
    for rank, chance in enumerate(known):
        highest = max(highest, min(1.0, chance * (len(known) - rank)))
        written_out.setdefault(chance, highest)
    corrected = holm(chances)
    assert [value is None for value in corrected] == [chance is None for chance in chances]
    for chance, value in zip(chances, corrected, strict=True):
        if chance is not None and value is not None:
            assert value >= written_out[chance] - 1e-12


@pytest.mark.parametrize(
    ("text", "figure", "rise", "limit", "relative"),
    [
        ("ttft_p95 +10%", "ttft_p95", True, 0.1, True),
        ("ttft_p95_s +0.2", "ttft_p95", True, 0.2, False),
        (" transactions_per_minute - 5 % ", "transactions_per_minute", False, 0.05, True),
        ("error_rate +0.01", "error_rate", True, 0.01, False),
        ("usd_per_10k +2.5%", "usd_per_10k", True, 0.025, True),
    ],
)
def test_rules_are_read(text: str, figure: str, rise: bool, limit: float, relative: bool) -> None:
    rule = parse_rule(text)
    assert (rule.figure, rule.rise, rule.limit, rule.relative) == (figure, rise, pytest.approx(limit), relative)


@pytest.mark.parametrize(
    "text", ["", "ttft_p95", "ttft_p95 10%", "+10%", "ttft_p100 +10%", "ttft_p095 +10%", "speed +1%", "ttft_p95 +x%"]
)
def test_bad_rules_are_refused_with_the_cure(text: str) -> None:
    with pytest.raises(UnusableInput, match="ttft_p95"):
        parse_rule(text)


def test_only_cells_that_both_completed_are_compared() -> None:
    a = study(cell(1), cell(2, model="b"), name="one", region="us-east-1")
    b = study(cell(1), Cellful([], "b", line={"status": "skipped"}), cell(3, model="c"), name="two", region="eu-west-1")
    found = compare(a, b)
    assert [compared.model for compared in found.cells] == ["a"]
    assert (found.only_in_a, found.only_in_b) == ([("b", "en_1-500", 1, None)], [("c", "en_1-500", 1, None)])
    assert data(found)["only_in_a"] == [["b", "en_1-500", 1]]
    assert any("region" in sentence for sentence in data(found)["unlike"])


def test_a_comparison_can_be_read_by_people_and_programs() -> None:
    found = compare(study(cell(1), name="one"), study(cell(2, 1.5), name="two"), ["ttft_p95 +10%", "error_rate +0.5"])
    page = markdown(found)
    assert page.startswith("# two against one")
    assert "**Regression.**" in page and "`error_rate +0.5`: passed in every cell" in page
    assert "`ttft_p95 +10%`: broken in 1 of 1 cell (a, en_1-500, 1 user)" in page
    assert "| 200, 200 |" in page  # the answers of each run
    assert "is ruled out" in page
    again = json.loads(json.dumps(data(found), allow_nan=False))
    assert again["regression"] is True and again["cells"][0]["changes"][0]["figure"] == "ttft_p50"


def test_nothing_in_common_is_no_regression() -> None:
    found = compare(study(cell(1)), study(cell(1, model="b")), ["ttft_p95 +10%"])
    assert (found.cells, found.regression) == ([], False)
    assert found.undecided, "a rule that no cell was held against is not kept"
    assert "`ttft_p95 +10%`: not known, as no cell is in both runs" in markdown(found)
    assert not compare(study(cell(1)), study(cell(1, model="b"))).undecided, "nothing was asked"
    assert compare_cells(run_of([(pd.DataFrame(), {})]), run_of([(pd.DataFrame(), {})])) == []


def test_a_change_in_points_is_none_beyond_a_hundred_and_what_was_not_tested_says_so() -> None:
    found = compare(study(cell(1)), study(cell(2, count=2, errors=200)), ["error_rate +1%"])
    change = change_of(found, "error_rate")
    assert change.change > 0.98 and change.ci95[1] <= 1.0 and found.regression
    assert "| not known |  | not tested |" in markdown(compare(study(cell(1, count=3)), study(cell(2, count=3))))


def scored(seed: int, right: float, prompts: int = 60, times: int = 4, name: str = "run") -> tuple[pd.DataFrame, dict[str, Any]]:
    """A run of one cell whose model knows the answer to so large a share of the prompts, and is asked each one several times."""
    rng = np.random.default_rng(seed)
    knows = rng.random(prompts) < right
    records, manifest = study(cell(seed, count=prompts * times), name=name)
    place = np.arange(len(records)) % prompts
    return records.assign(prompt_id=[f"p{number}" for number in place], quality=knows[place].astype(float), metric="f1"), manifest


def change_of(found: Any, figure: str) -> Any:
    return next((change for change in found.cells[0].changes if change.figure == figure), None)


def test_worse_answers_are_a_regression() -> None:
    found = compare(scored(1, 0.9), scored(2, 0.5, name="two"), ["quality -10%"])
    quality = change_of(found, "quality")
    assert (quality.verdict, quality.n_a, found.regression) == ("worse", 240, True)
    assert quality.ci95[0] < 0.5 / 0.9 - 1 < quality.ci95[1] < 0
    assert "quality" in markdown(found)
    assert change_of(compare(scored(2, 0.5), scored(1, 0.9)), "quality").verdict == "better"


def test_answers_to_few_prompts_prove_little_however_often_they_are_asked() -> None:
    """8 of 12 against 5 of 12 other prompts: Student's p is 0.23, though 240 answers a run would be far apart."""
    known = np.array([1.0] * 8 + [0.0] * 4), np.array([1.0] * 5 + [0.0] * 7)
    runs = []
    for number, right in enumerate(known):
        records, manifest = scored(number, 1.0, prompts=12, times=20)
        names = [f"{number}-{name}" for name in records.prompt_id]
        runs.append((records.assign(quality=right[np.arange(len(records)) % 12], prompt_id=names), manifest))
    quality = change_of(compare(*runs), "quality")
    assert quality.p == pytest.approx(stats.ttest_ind(*known).pvalue, abs=0.05)
    assert (quality.verdict, quality.paired) == ("same", False)


def test_quality_is_compared_only_where_both_were_scored() -> None:
    found = compare(scored(1, 0.9), study(cell(2, count=240)), ["quality -1%"])
    assert change_of(found, "quality") is None
    assert [ruling.status for ruling in found.rulings] == ["unknown"]


def test_a_name_does_not_break_the_table() -> None:
    page = markdown(compare(study(cell(1, model="a|b")), study(cell(2, model="a|b"))))
    [head, *rows] = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {head.count("|")}


def test_a_rule_is_tested_against_its_limit() -> None:
    """Truly 9 % slower, 1,500 requests: beyond 0 and within 20 % for certain, neither within nor beyond 10 %."""
    a, b = study(cell(1, count=1500)), study(cell(2, 1.09, count=1500), name="two")
    found = compare(a, b, ["e2e_p50 +10%", "e2e_p50 +20%", "e2e_p50 +2%", "e2e_p50 +0.5"])
    assert [ruling.status for ruling in found.rulings] == ["undecided", "passed", "broken", "passed"]
    assert found.undecided and found.rulings[0].requests_needed is not None and found.rulings[0].requests_needed > 500
    assert "requests more a cell and run" in markdown(found)


def test_twice_as_slow_is_found_in_each_of_thirty_cells() -> None:
    """The smallest p of 9,999 rearrangements could not be seen among 30 cells of eight figures."""
    a = study(*[cell(number, count=60, model=f"m{number}", start=100.0 * number) for number in range(30)])
    b = study(*[cell(900 + number, 2.0, count=60, model=f"m{number}", start=200.0 * number) for number in range(30)], name="two")
    found = compare(a, b, ["e2e_p50 +20%"])
    assert all(any(change.verdict == "worse" for change in compared.changes) for compared in found.cells)
    assert {ruling.status for ruling in found.rulings} == {"broken"}


def test_populations_of_runs_are_compared_as_wholes() -> None:
    """Hours differ by 10 %: of single runs nearly all would alarm, and three against three do not."""
    rng = np.random.default_rng(6)
    levels = np.exp(rng.normal(0, 0.1, 6))
    runs = [study(cell(number, float(level), 200), name=f"run{number}") for number, level in enumerate(levels)]
    found = compare(runs[:3], runs[3:])
    e2e = change_of(found, "e2e_p50")
    logs = [np.log([np.median(records.e2e_s) for records, _ in side]) for side in (runs[:3], runs[3:])]
    assert e2e.p == pytest.approx(stats.ttest_ind(*logs).pvalue, rel=1e-6)
    assert (found.to_dict()["runs_a"], found.one_hour) == (3, False)
    slower = [study(cell(20 + number, 3.0 * float(level), 200), name="b") for number, level in enumerate(levels[3:])]
    assert change_of(compare(runs[:3], slower), "e2e_p50").verdict == "worse"


def test_one_run_a_side_cannot_tell_a_release_from_an_hour() -> None:
    found = compare(study(cell(1)), study(cell(2, 1.5), name="two"))
    assert found.one_hour and "cannot tell a release from an hour" in markdown(found)
    assert found.to_dict()["release_or_hour"] is True


def test_what_does_not_matter_is_not_better_however_sure() -> None:
    rows = [[row(k * 1.0, usd=usd) for k in range(50)] for usd in (0.001, 0.001 * 1.004)]
    runs = [study(Cellful(made, window=(0.0, 50.0))) for made in rows]
    cost = change_of(compare(*runs), "usd_per_10k")
    assert (cost.differs, cost.verdict, cost.change) == (True, "same", pytest.approx(0.004))
    assert change_of(compare(*runs, smallest=0.001), "usd_per_10k").verdict == "worse"
    assert "by less than matters" in markdown(compare(*runs))


def test_equal_prices_in_another_order_do_not_differ() -> None:
    """Floats added in another order differ in the last digits."""
    prices = np.random.default_rng(3).choice([0.1, 0.2, 0.3, 1 / 3], 200)
    runs = [study(Cellful([row(float(k), usd=float(usd)) for k, usd in enumerate(made)])) for made in (prices, prices[::-1])]
    cost = change_of(compare(*runs), "usd_per_10k")
    assert (cost.change, cost.p, cost.verdict) == (0.0, 1.0, "same")


def test_the_same_prompts_are_compared_with_each_other() -> None:
    """Prompts make costs differ by a factor of 2.5; the runs differ by 3 %."""
    usual = np.random.default_rng(4).lognormal(0, 0.45, 50)
    runs = []
    for number, factor in enumerate((1.0, 1.03)):
        noise = np.random.default_rng(number).lognormal(0, 0.04, 200)
        made = [row(float(k), usd=float(0.001 * factor * usual[k % 50] * noise[k]), prompt_id=f"p{k % 50}") for k in range(200)]
        runs.append(study(Cellful(made, window=(0.0, 200.0))))
    cost = change_of(compare(*runs), "usd_per_10k")
    assert cost.paired and cost.verdict == "worse" and cost.ci95[0] > 0.01
    assert "(by prompt)" in markdown(compare(*runs))


def test_a_cell_is_asked_first_and_then_its_figures() -> None:
    """By hand: Simes' p of the cells 0.002 and 0.4, corrected 0.004 and 0.4; inside, Hommel's times what the cell was."""
    found = gatekept([[0.001, 0.04], [0.3, 0.4, None]])
    assert found[0] == pytest.approx([0.004, 0.08])
    assert found[1][:2] == pytest.approx([0.4, 0.4]) and found[1][2] is None

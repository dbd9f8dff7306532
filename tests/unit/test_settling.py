"""What a run could tell and what is open takes: by hand, by scipy, and by drawing more such runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fmbench.core.figures.cost import COST
from fmbench.core.figures.registry import of_key
from fmbench.core.ranking import inside_noise
from fmbench.core.settling import least_between, to_tell
from fmbench.report.first_page.settling import settling_words
from tests.unit.made import Cellful, row, run_of, summarise
from tests.unit.test_apart import cell_of, results

LIMITS = {"e2e_p95_s": 2.0, "error_rate": 0.05}


def verdict_of(cells: list[Cellful], objectives: dict[str, Any]) -> dict[str, Any]:
    records, manifest = run_of(cells, objectives)
    return dict(summarise(records, manifest, pd.DataFrame())["verdicts"][0])


def steady(model: str, seconds: float, count: int, usd: float | None = 0.001) -> Cellful:
    made = [row(k * seconds, seconds * (1 + 0.001 * (k % 7)), usd=usd) for k in range(count)]
    return Cellful(made, model, window=(0.0, count * seconds))


def test_what_is_undecided_takes_its_requests_at_what_they_cost() -> None:
    """72 answers within show that a p95 is met: 32 more than 40, and 22 more than 50, at $0.001 and $0.004 each."""
    open_questions = verdict_of([steady("young", 0.5, 40), steady("dear", 0.5, 50, 0.004)], LIMITS)["to_settle"]
    assert [(part["model"], part["requests"]) for part in open_questions["parts"]] == [("dear", 22), ("young", 32)]
    assert open_questions["requests"] == 54
    assert open_questions["usd"] == pytest.approx(22 * 0.004 + 32 * 0.001)


def test_what_no_number_of_requests_tells_is_no_number() -> None:
    made = [row(k * 1.0, 3.0 if k % 20 == 19 else 1.0) for k in range(400)]
    found = verdict_of([Cellful(made, window=(0.0, 400.0))], {"e2e_p95_s": 2.0})["to_settle"]
    assert found["requests"] is None and found["usd"] is None
    assert found["parts"][0]["requests"] is None


def test_where_other_prompts_are_what_it_takes_no_closeness_is_blamed() -> None:
    """Ten prompts asked again and again, of a score beside the limit: more of the same requests do not tell."""
    made = [row(0.5 * k, 0.5, prompt_id=f"p{k % 10}", quality=(0.4, 0.9)[k % 2]) for k in range(200)]
    records, manifest = run_of([Cellful(made, window=(0.0, 100.0))], {"quality_min": 0.6})
    records["quality"] = [one["quality"] for one in made]
    verdict = dict(summarise(records, manifest, pd.DataFrame())["verdicts"][0])
    [part] = verdict["to_settle"]["parts"]
    assert part["requests"] is None and "all 10 prompts were answered more than once" in part["why"]
    words = " ".join(settling_words(verdict, str))
    assert "different ones" in words and "too close" not in words


def test_dollars_are_not_known_where_a_price_is_not() -> None:
    found = verdict_of([steady("young", 0.5, 40, usd=None)], LIMITS)["to_settle"]
    assert (found["requests"], found["usd"]) == (32, None)


def test_nothing_is_open_where_all_is_decided() -> None:
    assert verdict_of([steady("sure", 0.5, 200)], LIMITS)["to_settle"] is None
    assert verdict_of([steady("slow", 5.0, 200)], LIMITS)["to_settle"] is None


def test_two_models_in_the_noise_take_until_a_difference_is_shown_or_that_none_matters() -> None:
    """Costs of $10 and $10.30 for 10,000, each known to so much: the reach has to shrink to the gap of $0.30. The median of 15;
    ours has some more than scipy's, as the users are taken for a sample."""
    ratios = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        drawn = [rng.lognormal(0, 0.3, 200) for _ in "ab"]
        costs = [mean * values / values.mean() for values, mean in zip(drawn, (0.001, 0.00103), strict=True)]
        cells = [cell_of(name, cost, [f"{name}{k}" for k in range(200)]) for name, cost in zip("ab", costs, strict=True)]
        found = to_tell(*results(cells), COST)
        oracle = stats.ttest_ind(10_000 * costs[1], 10_000 * costs[0], equal_var=False).confidence_interval(0.95)
        assert found is not None and found.requests is not None and found.usd is not None
        assert found.usd == pytest.approx(found.requests / 2 * (0.001 + 0.00103), rel=1e-3)
        ratios.append(found.requests / (2 * 200 * (((oracle.high - oracle.low) / 2 / 0.30) ** 2 - 1)))
    assert 0.9 < np.median(ratios) < 1.6


def test_the_least_difference_seen_is_found_in_nine_of_ten_runs() -> None:
    """60 runs whose costs differ by just that: found in 54, give or take 7 (three standard errors)."""
    rng = np.random.default_rng(6)
    names = [[f"{model}{k}" for k in range(150)] for model in "ab"]

    def drawn(factor: float) -> list[Any]:
        costs = [0.001 * each * rng.lognormal(0, 0.3, 150) for each in (1.0, factor)]
        return results([cell_of(model, cost, words) for model, cost, words in zip("ab", costs, names, strict=True)])

    shares = [least.share for _ in range(15) if (least := least_between(*drawn(1.0), COST)) is not None]
    typical = float(np.median([share for share in shares if share is not None]))
    assert typical == pytest.approx(0.3 * np.sqrt(2 / 150) * (1.96 + 1.2816), rel=0.15)
    found = 0
    for _ in range(60):
        first, second = drawn(1 + typical)
        found += not inside_noise(first, second, COST)
    assert 47 <= found <= 60


def test_less_than_matters_is_never_claimed_to_be_seen() -> None:
    cells = [steady("a", 0.5, 200, 0.001), steady("b", 0.5, 200, 0.002)]
    rng = np.random.default_rng(7)
    for cell, usd in zip(cells, (0.001, 0.002), strict=True):
        for made in cell.rows:
            made["usd"] = usd * float(rng.normal(1, 1e-4))
    least = verdict_of(cells, LIMITS)["least_seen"]
    assert least["models"] == ["a", "b"]
    assert least["share"] == pytest.approx(0.01)
    assert least["difference"] == pytest.approx(0.1, rel=0.01)


def test_a_model_alone_is_held_against_its_limit() -> None:
    rng = np.random.default_rng(8)
    cell = Cellful([row(k * 1.0, float(0.8 * rng.lognormal(0, 0.2))) for k in range(300)], window=(0.0, 300.0))
    least = verdict_of([cell], {"e2e_p95_s": 2.0})["least_seen"]
    assert (least["figure"], least["models"]) == ("e2e_p95_s", ["a"])
    true_error = np.sqrt(0.05 * 0.95 / 300) / stats.lognorm(0.2, scale=0.8).pdf(stats.lognorm(0.2, scale=0.8).ppf(0.95))
    assert least["difference"] == pytest.approx(true_error * (1.96 + 1.2816), rel=0.4)


def test_the_least_distance_is_of_a_figure_by_its_key_whatever_the_limit_is_called() -> None:
    """``quality_min`` sets a limit on the figure ``quality``: a page about it has to find the figure."""
    records, manifest = run_of([steady("alone", 0.5, 200)], {"quality_min": 0.5})
    scored = records.assign(quality=[(k % 10) / 10 + 0.2 for k in range(len(records))], metric="f1")
    least = summarise(scored, manifest, pd.DataFrame())["verdicts"][0]["least_seen"]
    assert of_key(least["figure"]).objective == "quality_min"

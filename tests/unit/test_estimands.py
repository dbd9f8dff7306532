"""Prompts like these, and these prompts alone: each interval holds its own truth, which the test puts there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fmbench.core.clusters import Common
from fmbench.core.estimands import asked_again, mean_of_these, percentile_of_these
from fmbench.core.intervals import dependence, mean_interval
from tests.unit.made import Cellful, row, run_of, summarise

PROMPTS, TIMES = 40, 6


def asked(rng: np.random.Generator, own: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each prompt costs on average, its label at each request, and what the requests cost."""
    usual = rng.lognormal(0, 0.45, PROMPTS)
    labels = rng.permutation(np.tile(np.arange(PROMPTS), TIMES))
    return usual, labels, usual[labels] * rng.lognormal(-(own**2) / 2, own, len(labels))


def test_each_interval_holds_the_truth_that_it_is_of() -> None:
    """150 runs: both hold in 95 % of them (134 and more, else p < 0.01), and the one of these prompts is four times narrower."""
    rng, held, widths = np.random.default_rng(1), np.zeros(2), []
    for _ in range(150):
        usual, labels, values = asked(rng, 0.2)
        common = Common(prompts=labels)
        these, kind = mean_of_these(values, common), mean_interval(values, dependence(values, common))
        assert these is not None and kind is not None
        held += [these[0] <= usual.mean() <= these[1], kind[0] <= np.exp(0.45**2 / 2) <= kind[1]]
        widths.append((kind[1] - kind[0]) / (these[1] - these[0]))
    assert held.min() >= 134
    expected = np.sqrt(0.45**2 / PROMPTS + 0.2**2 / PROMPTS / TIMES) / np.sqrt(0.2**2 / PROMPTS / TIMES)
    assert np.median(widths) == pytest.approx(expected, rel=0.25)


def test_the_interval_of_these_prompts_holds_on_average_no_more_than_it_says() -> None:
    """Not so wide that it would always hold: of 400 at most 394 (else p < 0.01)."""
    rng, held = np.random.default_rng(2), 0
    for _ in range(400):
        usual, labels, values = asked(rng, 0.2)
        ends = mean_of_these(values, Common(prompts=labels)) or (0.0, 0.0)
        held += ends[0] <= usual.mean() <= ends[1]
    assert 366 <= held <= 394


def test_a_percentile_of_these_prompts_holds_theirs() -> None:
    rng, held = np.random.default_rng(3), 0
    for _ in range(60):
        usual, labels, values = asked(rng, 0.2)
        more = np.quantile(np.repeat(usual, 2000) * rng.lognormal(-0.02, 0.2, 2000 * PROMPTS), 0.5)
        ends = percentile_of_these(values, Common(prompts=labels), 0.5) or (0.0, 0.0)
        held += ends[0] <= more <= ends[1]
    assert held >= 52


def test_prompts_that_came_up_more_often_count_no_more() -> None:
    """The last round is cut in the middle, and answers to one prompt hardly differ: the truth is that of each prompt alike."""
    rng, held = np.random.default_rng(6), 0
    for _ in range(100):
        usual = rng.lognormal(0, 0.45, PROMPTS)
        labels = np.concatenate([rng.permutation(PROMPTS) for _ in range(4)])[: 4 * PROMPTS - 15]
        values = usual[labels] * rng.lognormal(-0.005, 0.1, len(labels))
        low, high = mean_of_these(values, Common(prompts=labels)) or (0.0, 0.0)
        held += low <= usual.mean() <= high
        assert low <= values.mean() <= high
    assert held >= 89  # of 95 expected, else p < 0.01


def test_a_cut_round_of_answers_that_are_always_the_same_holds_both_means() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    values = np.array([1.0, 2.0, 6.0])[labels]
    assert mean_of_these(values, Common(prompts=labels)) == pytest.approx(((3 * 1 + 2 * 2 + 2 * 6) / 7, (1 + 2 + 6) / 3))


def test_answers_that_are_always_the_same_are_known_exactly() -> None:
    usual, labels, _ = asked(np.random.default_rng(4), 0.2)
    ends = mean_of_these(usual[labels], Common(prompts=labels))
    assert ends == pytest.approx((usual.mean(), usual.mean()))


def test_prompts_that_were_asked_once_say_nothing_of_themselves() -> None:
    assert asked_again(Common(prompts=np.arange(50))) is None
    assert asked_again(Common()) is None
    assert mean_of_these(np.ones(50), Common(prompts=np.arange(50))) is None


def test_the_summary_has_both() -> None:
    usual, labels, values = asked(np.random.default_rng(5), 0.05)
    pairs = zip(values, labels, strict=True)
    rows = [row(k * 1.0, usd=0.001 * float(value), prompt_id=f"p{label}", user=k % 8) for k, (value, label) in enumerate(pairs)]
    cell = summarise(*run_of([Cellful(rows, concurrency=8, window=(0.0, 240.0))]), pd.DataFrame())["cells"][0]
    these, kind = cell["these_prompts"]["ci95"]["usd_per_10k"], cell["usd_per_10k_ci95"]
    assert cell["these_prompts"]["prompts"] == PROMPTS
    assert kind[0] < these[0] < 10 * values.mean() < these[1] < kind[1]
    assert these[0] < 10 * usual.mean() < these[1]

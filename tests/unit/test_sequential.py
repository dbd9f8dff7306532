"""Evidence that holds whenever one looks: expected values by enumeration, by closed form and by simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from fmbench.core.sequential import (
    NOTHING,
    Evidence,
    all_of,
    blocks_to_show,
    independent_blocks,
    joined,
    mean_evidence,
    mean_sequence,
    ruled_out,
    share_evidence,
    share_sequence,
)

ONES = np.ones(6)


@pytest.mark.parametrize("limit", [0.05, 0.3, 0.5, 0.9])
def test_under_the_hypothesis_the_wealth_is_worth_one(limit: float) -> None:
    """Over all 64 outcomes of six yes-or-no blocks the expected wealth is exactly 1, whichever way was bet."""
    expected = np.zeros(2)
    for outcome in itertools.product((0.0, 1.0), repeat=6):
        hits = np.array(outcome)
        chance = limit ** hits.sum() * (1 - limit) ** (6 - hits.sum())
        evidence = share_evidence(hits, ONES, limit)
        expected += chance * np.exp([evidence.met, evidence.not_met])
    assert expected == pytest.approx([1, 1], abs=1e-9)


def test_nothing_failed_is_worth_what_the_stake_pays() -> None:
    """Seven tenths on the largest stake, which pays 1 / 0.95 a block: 79 blocks for p95 at 2.5 %."""
    evidence = share_evidence(np.zeros(79), np.ones(79), 0.05)
    assert evidence.met == pytest.approx(math.log(0.7) + 79 * math.log(1 / 0.95), abs=0.08)
    assert evidence.status(0.025) is True and share_evidence(np.zeros(70), np.ones(70), 0.05).status(0.025) is None


def test_limits_are_all_kept_when_the_least_sure_is_and_broken_when_one_is() -> None:
    sure, against = Evidence(5.0, -3.0, 2.0), Evidence(-2.0, 6.0, -1.0)
    both = all_of([sure, against])
    assert (both.met, both.not_met, both.lean) == (-2.0, 6.0 - math.log(2), -1.0)
    assert both.status() is False and sure.status() is True and NOTHING.status() is None
    assert all_of([]) == NOTHING and (sure + against).met == 3.0


def test_slices_make_blocks_of_five_seconds_or_longer_while_neighbours_are_alike() -> None:
    assert joined(np.arange(7.0), 3).tolist() == [3.0, 18.0]
    rng = np.random.default_rng(1)
    alone, counted = independent_blocks(rng.permutation(np.repeat([0.0, 1.0], 80)), np.full(160, 10.0), 1.0)
    assert len(alone) in (16, 32) and counted.sum() == 1600
    alike = np.repeat([0.0, 5.0, 0.0, 5.0], 40)
    assert len(independent_blocks(alike, np.full(160, 10.0), 1.0)[0]) <= 16


def test_a_share_exactly_at_its_limit_is_seldom_decided_however_often_one_looks() -> None:
    """Looked at twenty times in 200 blocks; 4 % would be allowed, both sides together: at most 8 of 100 (else p < 0.05)."""
    rng, wrong, held = np.random.default_rng(2), 0, 0
    for _ in range(100):
        hits = rng.binomial(10, 0.1, 200).astype(float)
        counted = np.full(200, 10.0)
        wrong += any(share_evidence(hits[:seen], counted[:seen], 0.1).status() is not None for seen in range(10, 201, 10))
        low, high = share_sequence(hits, counted)
        held += low <= 0.1 <= high
    assert wrong <= 8 and held >= 94


def test_the_interval_of_a_share_is_where_neither_bet_has_won() -> None:
    hits, counted = np.array([1.0, 0, 2, 0, 1, 0, 0, 3, 0, 0] * 12), np.full(120, 10.0)
    low, high = share_sequence(hits, counted)
    assert low < 0.07 < high
    for limit, expected in ((low * 0.97, False), (low * 1.03, None), (high * 0.97, None), (high * 1.03, True)):
        assert share_evidence(hits, counted, limit).status() is expected
    assert share_sequence(np.zeros(0), np.zeros(0)) == (0.0, 1.0)
    assert share_sequence(np.zeros(100), np.ones(100))[0] == 0.0


def test_a_mean_is_decided_by_how_its_blocks_scatter() -> None:
    rng = np.random.default_rng(3)
    sums, counted = rng.normal(20, 2, 60), np.full(60, 10.0)
    interval = mean_sequence(sums, counted)
    assert interval is not None and interval[0] < 2 < interval[1]
    usual = 1.96 * sums.std() / 60**0.5 / 10
    assert usual < (interval[1] - interval[0]) / 2 < 2.5 * usual
    assert mean_evidence(sums, counted, interval[1] * 1.001).status() is True
    assert mean_evidence(sums, counted, interval[0] * 0.999).status() is False
    assert mean_evidence(sums, counted, 2.0).status() is None
    assert mean_evidence(sums[:10], counted[:10], 9.0) == NOTHING, "ten blocks do not tell a scatter"
    assert mean_evidence(np.full(40, 5.0), np.full(40, 10.0), 0.5).status() is True, "equal prices have no scatter"


def test_the_mean_s_evidence_is_worth_at_most_one_under_the_hypothesis() -> None:
    rng = np.random.default_rng(4)
    worth = [math.exp(min(mean_evidence(rng.normal(1, 0.5, 100), np.ones(100), 1.0).met, 50)) for _ in range(500)]
    assert np.mean(np.minimum(worth, 50)) < 1.2


@pytest.mark.parametrize(("limit", "tail"), [(0.05, 0.02), (0.01, 0.025), (0.5, 0.02)])
def test_so_many_blocks_without_a_hit_show_a_share(limit: float, tail: float) -> None:
    """Each multiplies the largest stake, 0.7 of the wealth, by 1 + 0.999 limit / (1 - limit); the rest hardly counts."""
    alone = (-math.log(tail) - math.log(0.7)) / math.log1p(0.999 * limit / (1 - limit))
    assert math.ceil(alone) - 2 <= blocks_to_show(limit, tail) <= math.ceil(alone)
    blocks = blocks_to_show(limit, tail)
    assert share_evidence(np.zeros(blocks), np.ones(blocks), limit).status(tail) is True
    assert share_evidence(np.zeros(blocks - 1), np.ones(blocks - 1), limit).status(tail) is None


def test_what_nobody_set_a_limit_on_can_only_tell_against_a_level() -> None:
    """A weighted mean of e-values: three quarters for the objectives, an eighth for each of two screens."""
    met, nothing = Evidence(9.0, -9.0, 5.0), Evidence(0.0, 0.0)
    assert ruled_out(met, []) == met
    harmless = ruled_out(met, [Evidence(8.0, -8.0, 3.0)])
    assert (harmless.met, harmless.lean) == (9.0, 5.0) and harmless.not_met < -8
    leaning = ruled_out(met, [Evidence(-1.0, 0.5, -7.0)])
    assert (leaning.met, leaning.lean) == (0.0, -7.0) and leaning.status() is None
    failing = ruled_out(nothing, [Evidence(-9.0, 20.0, -7.0), nothing])
    assert failing.not_met == pytest.approx(20 - math.log(8), abs=1e-6) and failing.status() is False
    assert ruled_out(nothing, [nothing]).not_met == pytest.approx(0.0)

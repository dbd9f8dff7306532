"""When a difference between clusters is believed, at ratios that are worked out by hand and scipy's F distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fmbench.core.clusters import chances, part_of

EACH = 10


def clusters(groups: int, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Equal clusters whose values scatter by 1 around means that lie evenly, so far apart that between them is ``ratio`` times
    what chance would bring: G/(G-1) Σ(cluster sum)² / Σ(value)², of sums 10·a·(g - middle) and squares 10·a²·(g - middle)² + 10
    a cluster."""
    places = np.arange(groups) - (groups - 1) / 2
    squares = float((places**2).sum())
    step = math.sqrt(ratio * EACH * groups / (groups / (groups - 1) * EACH**2 * squares - ratio * EACH * squares))
    labels = np.repeat(np.arange(groups), EACH)
    return np.tile([1.0, -1.0], groups * EACH // 2) + step * places[labels], labels


@pytest.mark.parametrize(
    ("groups", "chance"), [(2, 0.99), (3, 0.99), (4, 0.7), (5, 0.7), (6, 0.7), (7, 0.7), (8, 0.9), (12, 0.9), (16, 0.9)]
)
def test_few_clusters_are_believed_sooner_and_two_or_three_later(groups: int, chance: float) -> None:
    bound = float(stats.f.ppf(chance, groups - 1, groups * (EACH - 1)))
    below, above = (part_of(*clusters(groups, bound * factor)) for factor in (0.97, 1.03))
    assert below is not None and above is not None
    assert math.isinf(below.freedom) and 0 < above.freedom < groups


def test_how_users_differ_is_students_t_where_all_sent_as_much() -> None:
    """By scipy's test of one sample; below the limit of the logarithm, by the delta method."""
    slow, sent, limit = np.array([3.0, 9.0, 4.0, 6.0, 2.0]), np.full(5, 100.0), 0.03
    found = chances(slow, sent, limit)
    assert found is not None
    assert found[1] == pytest.approx(stats.ttest_1samp(slow / sent, limit, alternative="greater").pvalue)
    below = chances(slow, sent, 0.1)
    error = stats.sem(slow / sent) / 0.048
    assert below is not None and below[0] == pytest.approx(stats.t.sf(math.log(0.1 / 0.048) / error, 4))


def test_users_who_are_equal_or_too_few_or_sent_nothing_say_so() -> None:
    assert chances(np.full(4, 2.0), np.full(4, 100.0), 0.05) == (0.0, 1.0)
    assert chances(np.full(4, 9.0), np.full(4, 100.0), 0.05) == (1.0, 0.0)
    assert chances(np.array([9.0, 0.0, 0.0]), np.full(3, 100.0), 0.05) is None
    some = chances(np.array([3.0, 9.0, 4.0, 0.0, 6.0]), np.array([100.0, 100.0, 100.0, 0.0, 100.0]), 0.1)
    assert some == chances(np.array([3.0, 9.0, 4.0, 6.0]), np.full(4, 100.0), 0.1)

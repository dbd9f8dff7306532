"""When a difference between clusters is believed, at ratios that are worked out by hand and scipy's F distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fmbench.core.clusters import Common, chances, part_of
from fmbench.core.intervals import indicator_dependence, share_interval

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


def failures(of_users: list[int], each: int = 25) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Requests of users in turn, of which so many of each failed, spread over the window; and sixteen stretches of time."""
    users, failed = np.tile(np.arange(len(of_users)), each), np.zeros(len(of_users) * each)
    for user, count in enumerate(of_users):
        failed[user + len(of_users) * np.linspace(user, each - 1 - user, count).astype(int)] = 1
    return failed - failed.mean(), users, np.arange(len(users)) * 16 // len(users)


def test_few_failures_of_one_user_are_taken_for_chance() -> None:
    """That both of two failures are one user's of four is chance's doing in one run of four: no evidence that users differ.
    Twelve that fall 6, 3, 2 and 1 are chance's in one run of five."""
    assert stats.chisquare([6, 3, 2, 1]).pvalue == pytest.approx(0.2, abs=0.01)
    two, twelve = part_of(*failures([2, 0, 0, 0])), part_of(*failures([6, 3, 2, 1]))
    assert two is not None and math.isinf(two.freedom)
    assert twelve is not None and twelve.freedom < 4


def test_two_failures_of_a_hundred_are_at_most_a_tenth_whoever_of_four_users_had_them() -> None:
    """Clopper and Pearson's upper bound, missed by 5 %, is 6.2 % of independent requests."""
    assert stats.beta.ppf(0.95, 3, 98) == pytest.approx(0.062, abs=0.001)
    for user in range(4):
        flags = np.zeros(100, dtype=bool)
        flags[[40 + user, 80 + user]] = True
        known = indicator_dependence(flags, Common(users=np.tile(np.arange(4), 25)))
        assert share_interval(2, known, 0.05)[1] < 0.1


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

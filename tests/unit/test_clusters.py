"""When a difference between clusters is believed, at ratios that are worked out by hand and scipy's F distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fmbench.core.clusters import part_of

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

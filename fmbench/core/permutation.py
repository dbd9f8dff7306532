"""Is a difference more than noise? A permutation test on batches of requests, and Holm's correction of many such tests.

Batches in the order of time, long enough that neighbours no longer resemble each other (or whole blocks, where both runs repeat
the cell at least five times), are dealt to A and B anew 9,999 times. What the batches of a figure are is the figure's to say: a
percentile is tested by the share of requests beyond the pooled one, a rate by its slices of the window, quality by prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from fmbench.core.figures.figure import Figure
from fmbench.core.quantiles import Floats
from fmbench.core.results import CellResult

PERMUTATIONS = 9_999
SEED = 7
FEWEST_BATCHES = 4


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """Holm's corrected p of each test; None stays None and counts as no test."""
    places = sorted(
        (place for place, chance in enumerate(chances) if chance is not None), key=lambda place: chances[place] or 0.0
    )
    corrected: list[float | None] = [None] * len(chances)
    highest = 0.0
    for rank, place in enumerate(places):
        highest = max(highest, min(1.0, (len(places) - rank) * (chances[place] or 0.0)))
        corrected[place] = highest
    return corrected


def permutation_test(a: CellResult, b: CellResult, figure: Figure) -> float | None:
    """The chance of so large a difference when batches are dealt to the two runs at random; None with too few batches."""
    units = figure.batches(a.cell, b.cell)
    if units is None or min(len(side) for side in units) < FEWEST_BATCHES:
        return None
    pooled = np.concatenate(units)
    seen = _difference(_first(len(units[0]), len(pooled)), pooled)[0]
    drawn = _difference(_dealt(len(units[0]), len(pooled)), pooled)
    return float((1 + np.sum(np.abs(drawn) >= abs(seen) * (1 - 1e-9))) / (1 + PERMUTATIONS))


@lru_cache(maxsize=64)
def _dealt(mine: int, total: int) -> Floats:
    """Random choices of ``mine`` of ``total`` batches: a row of ones and zeros a permutation. The same ones each time."""
    order = np.argsort(np.random.default_rng(SEED).random((PERMUTATIONS, total)), axis=1)
    return (order < mine).astype(np.float64)


def _first(mine: int, total: int) -> Floats:
    return (np.arange(total) < mine).astype(np.float64)[None, :]


def _difference(dealt: Floats, units: Floats) -> Floats:
    """The difference of the means of the two sides, for each way of dealing."""
    mine = dealt @ units
    rest = units.sum(axis=0) - mine
    return np.asarray(mine[:, 0] / mine[:, 1] - rest[:, 0] / rest[:, 1])

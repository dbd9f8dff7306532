"""A window that begins slow: whether the latency falls at its start, from how much to what, and for how long.

The logarithms of the values are held against a straight fall to the usual level, over a twenty-fourth of the window up to a
quarter of it (a matched filter for each length): the clearest of them in standard errors, by the scatter of what the fall leaves
and how its neighbours depend on each other. That the clearest was chosen is paid for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from fmbench.core.intervals import dependence
from fmbench.core.quantiles import Floats
from fmbench.core.sums import inner, squares

LENGTHS = (1 / 24, 1 / 12, 1 / 6, 1 / 4)
"""How long a fall may last, as shares of the window."""
TRIED = 2.5
"""What the choice among the lengths does to the chance of the clearest: they overlap, and count as so many independent ones
(simulated: the null exceeds 2.3 standard errors in 2.5 %)."""
FEWEST_WITHIN = 8
FEWEST_IN_ALL = 40
SMALLEST = 1.1
"""A start that is less than a tenth slower is nobody's concern."""


@dataclass(frozen=True, slots=True)
class FallingStart:
    """The latency began at ``factor`` times the usual one and was usual after ``lasts_s``; ``p``: the chance of as clear a fall
    where there is none."""

    factor: float
    lasts_s: float
    p: float


def falling_start(times: Floats, series: Floats, begin: float, length_s: float) -> FallingStart | None:
    """The clearest fall at the start of a window of positive values in the order of time; None with too few of them, or where
    none is of a tenth."""
    known = series > 0
    since, logs = times[known] - begin, np.log(series[known])
    if len(logs) < FEWEST_IN_ALL or length_s <= 0:
        return None
    tried = (_fall(since, logs, part * length_s) for part in LENGTHS)
    found = [fall for fall in tried if fall is not None and fall.factor >= SMALLEST]
    return min(found, key=lambda fall: fall.p, default=None)


def _fall(since: Floats, logs: Floats, lasts_s: float) -> FallingStart | None:
    shape = np.clip(1 - since / lasts_s, 0.0, 1.0)
    if np.count_nonzero(shape) < FEWEST_WITHIN or float(np.ptp(shape)) == 0:
        return None
    shape = shape - shape.mean()
    size = inner(shape, logs) / squares(shape)
    left = logs - logs.mean() - size * shape
    error = float(left.std(ddof=2)) * math.sqrt(dependence(left).design_effect / squares(shape))
    chance = float(special.ndtr(-size / error)) if error > 0 else float(size <= 0)
    return FallingStart(math.exp(min(size, 50.0)), lasts_s, min(1.0, TRIED * chance))

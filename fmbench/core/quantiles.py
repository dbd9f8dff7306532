"""One definition of a quantile, and how many samples it takes before one may be stated.

A quantile is always taken from pooled raw samples, never from other quantiles. Definition: Hyndman and Fan's type 7 (linear
interpolation between order statistics; NumPy's and pandas' default), The American Statistician 50(4), 1996.

A percentile is stated only when the sample can also bound it: the interval from the smallest to the largest value covers the true
quantile, whatever the distribution, with a chance of 1 - p^n - (1 - p)^n. The floor is the first n at which neither tail's chance
is above 2.5 % (a distribution-free two-sided 95 % interval): 6 for the median, 36 for p90, 72 for p95, 368 for p99.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PERCENTILES = (50, 90, 95, 99)
TAIL = 0.025
"""What either side of a two-sided 95 % interval may miss."""


def samples_needed(share: float, tail: float = TAIL) -> int:
    """How many independent samples it takes to state the quantile at ``share`` (0 < share < 1)."""
    if not 0 < share < 1:
        raise ValueError(f"a quantile lies strictly between 0 and 1, not at {share}")
    return math.ceil(math.log(tail) / math.log(max(share, 1 - share)))


def quantile_of_sorted(ascending: Floats, share: float) -> float:
    """The type 7 quantile of values that are already sorted; NaN of none."""
    count = len(ascending)
    if count == 0:
        return math.nan
    position = (count - 1) * share
    below = math.floor(position)
    above = min(below + 1, count - 1)
    low, high = float(ascending[below]), float(ascending[above])
    return low + (high - low) * (position - below)


def stated_quantile(ascending: Floats, share: float) -> float | None:
    """The quantile of sorted values; None when there are fewer than ``samples_needed``."""
    if len(ascending) < samples_needed(share):
        return None
    return quantile_of_sorted(ascending, share)

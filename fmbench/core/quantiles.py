"""One definition of a quantile.

A quantile is always taken from pooled raw samples, never from other quantiles. Definition: Hyndman and Fan's type 7 (linear
interpolation between order statistics; NumPy's and pandas' default), The American Statistician 50(4), 1996.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fmbench.core.samples import samples_needed

Floats = NDArray[np.float64]


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

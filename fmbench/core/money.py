"""Money without the rounding of floats: equal prices have equal sums, in whatever order they are added."""

from __future__ import annotations

import numpy as np

from fmbench.core.quantiles import Floats

PER_DOLLAR = 10**12


def picodollars(usd: Floats) -> Floats:
    """Dollars as whole picodollars (a token of a price with six decimals for a million costs whole ones); NaN stays."""
    return np.asarray(np.rint(usd * PER_DOLLAR))


def total_usd(usd: Floats) -> float:
    """The exact sum of amounts, NaN left out, in dollars: rounded once, at the end."""
    return sum(map(int, picodollars(usd[~np.isnan(usd)]).tolist())) / PER_DOLLAR

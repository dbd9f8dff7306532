"""Money without the rounding of floats: equal prices have equal sums, in whatever order they are added."""

from __future__ import annotations

import numpy as np

from fmbench.core.quantiles import Floats

PER_DOLLAR = 10**12
MOST_EXACT = 2.0**62
"""Sums of whole numbers below it are exact as 64-bit integers."""


def picodollars(usd: Floats) -> Floats:
    """Dollars as whole picodollars (a token of a price with six decimals for a million costs whole ones); NaN stays."""
    return np.asarray(np.rint(usd * PER_DOLLAR))


def total_usd(usd: Floats) -> float:
    """The exact sum of amounts, NaN left out, in dollars: rounded once, at the end."""
    return sum_of(picodollars(usd))


def sum_of(picodollars: Floats) -> float:
    """The same, of whole picodollars."""
    amounts = picodollars[~np.isnan(picodollars)]
    if len(amounts) * float(np.abs(amounts).max(initial=0.0)) < MOST_EXACT:
        return int(amounts.astype(np.int64).sum()) / PER_DOLLAR
    return sum(map(int, amounts.tolist())) / PER_DOLLAR

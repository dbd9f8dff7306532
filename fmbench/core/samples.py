"""How many samples it takes before a percentile may be stated.

A percentile is stated only when the sample can also bound it: the interval from the smallest to the largest value covers the true
quantile, whatever the distribution, with a chance of 1 - p^n - (1 - p)^n. The floor is the first n at which neither tail's chance
is above 2.5 % (a distribution-free two-sided 95 % interval): 6 for the median, 36 for p90, 72 for p95, 368 for p99.
"""

from __future__ import annotations

import math

PERCENTILES = (50, 90, 95, 99)
TAIL = 0.025
"""What either side of a two-sided 95 % interval may miss."""


def name_of(percent: float) -> str:
    """``p95``, ``p99.9``."""
    return f"p{percent:g}"


def samples_needed(share: float, tail: float = TAIL) -> int:
    """How many independent samples it takes to state the quantile at ``share`` (0 < share < 1)."""
    if not 0 < share < 1:
        raise ValueError(f"a quantile lies strictly between 0 and 1, not at {share}")
    return math.ceil(math.log(tail) / math.log(max(share, 1 - share)))

"""When requests begin in an open loop: a plan of absolute times, whatever the answers do.

A plan is two things: how gaps scatter (``poisson``, ``constant``, ``gamma``: a file each) and how the rate goes over time
(``steady``, ``ramp``, ``profile``: a file each). Gaps of mean 1 add up to the expected number of arrivals so far, and the rate's
shape says when that number is reached.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from fmbench.core.arrivals import constant, gamma, poisson
from fmbench.core.arrivals.shape import RateShape

GAPS = {module.NAME: module.gaps for module in (constant, gamma, poisson)}
"""How gaps between arrivals scatter, by the name that ``load.arrivals`` takes."""


def arrival_times(gaps: str, rate: RateShape, seed: str, shape: float = 1.0) -> Iterator[float]:
    """The plan: seconds after the start at which one request after the other begins, without end or as long as the rate goes.

    It follows from its arguments alone. ``shape``: how even gamma's gaps are (1: Poisson; below: in bursts; above: more even).
    """
    expected = 0.0
    for gap in GAPS[gaps](random.Random(seed), shape):
        expected += gap
        at = rate.time_of(expected)
        if at is None:
            return
        yield at

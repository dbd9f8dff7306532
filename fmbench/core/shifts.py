"""How far apart two sides' percentiles are, in their own unit: "0.4 s (0.3 to 0.5) faster", where ``contrast`` has shares.

The hypothesis is a shift d: that the percentile of B is that of A plus d. It is tested as a ratio is (``contrast.ShareTest``):
with what requests of one prompt, one user and one moment have in common. The 95 % interval holds the
shifts that are not rejected.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize

from fmbench.core.contrast import FEWEST_VALUES, Contrast, ShareTest, Side
from fmbench.core.quantiles import Floats

TAIL = 0.025
FURTHEST = 1e3
"""An end of an interval that lies further away, in times of the values' spread, is not looked for."""


def of_shift(a: Side, b: Side, share: float) -> Contrast | None:
    """B's percentile at ``share`` minus A's, with its 95 % interval; None with too few values."""
    if min(len(a.values), len(b.values)) < FEWEST_VALUES:
        return None
    seen = float(np.quantile(b.values, share) - np.quantile(a.values, share))
    test = ShareTest(a, b, share, seen, _plus)
    step = max(float(np.std(np.concatenate([a.values + seen, b.values]))), abs(seen) * 1e-3, 1e-9)
    ends = _end(test, seen, -step, 0), _end(test, seen, step, 1)
    return Contrast(seen, (min(ends[0], seen), max(ends[1], seen)), test.chances, test.paired, test.freedom)


def _plus(values: Floats, change: float) -> Floats:
    return values + change


def _end(test: ShareTest, seen: float, step: float, tail: int) -> float:
    """The furthest shift on one side that the test does not reject."""
    if test.chances(seen)[tail] <= TAIL:
        return seen
    reach = step / 8
    while test.chances(seen + reach)[tail] > TAIL:
        if abs(reach) > FURTHEST * abs(step):
            return seen + reach
        reach *= 2
    return float(optimize.bisect(lambda shift: test.chances(shift)[tail] - TAIL, seen, seen + reach, xtol=abs(step) * 1e-5))

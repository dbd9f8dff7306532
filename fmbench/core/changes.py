"""Changes inside a window: when the latency took another level, or grew all along, and by how much.

The logarithms of the values are averaged in batches, and every place is tried as the one where the level changed: the largest
difference of the two means, in standard errors of the batches' own scatter beside both levels and of their dependence (a
likelihood-ratio scan, Csörgő and Horváth, Limit Theorems in Change-Point Analysis, 1997). A straight line that fits better than
two levels is a growth. A change is told when it is beyond four and a half standard errors and a tenth of the level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fmbench.core.intervals import dependence
from fmbench.core.quantiles import Floats

BATCHES = 200
SHORTEST = 20
"""A level lasts a twentieth of the window at least."""
CLEAR = 4.5
SMALLEST = 0.1


@dataclass(frozen=True, slots=True)
class Change:
    """``at``: a time as given, where a new level begins (of a growth: the middle). ``before`` and ``after``: geometric means
    of the two levels; of a growth the line's ends."""

    kind: Literal["shift", "growth"]
    at: float
    before: float
    after: float


def change_in(times: Floats, series: Floats) -> Change | None:
    """The clearest change of positive values in the order of time; None where none is clear, or with fewer than 40."""
    known = series > 0
    times, logs = times[known], np.log(series[known])
    size = max(1, len(logs) // BATCHES)
    batches = len(logs) // size
    if batches < 2 * SHORTEST:
        return None
    means = logs[: batches * size].reshape(batches, size).mean(axis=1)
    place, levels = _split(means)
    line = np.polynomial.Polynomial.fit(np.arange(batches), means, 1)(np.arange(batches))
    grows = float(((means - line) ** 2).sum()) < float(((means - levels) ** 2).sum())
    fitted = line if grows else levels
    left = means - fitted
    error = float(left.std(ddof=2)) * math.sqrt(dependence(left).design_effect * (1 / place + 1 / (batches - place)))
    gap = float(means[place:].mean() - means[:place].mean())
    before, after = math.exp(float(fitted[0])), math.exp(float(fitted[-1]))
    if abs(gap) <= CLEAR * error or abs(after / before - 1) < SMALLEST:
        return None
    return Change("growth" if grows else "shift", float(times[(batches // 2 if grows else place) * size]), before, after)


def _split(means: Floats) -> tuple[int, Floats]:
    """Where two levels fit best, and those levels."""
    count = len(means)
    least = max(2, count // SHORTEST)
    places = np.arange(least, count - least + 1)
    sums = np.cumsum(means)
    before = sums[places - 1] / places
    after = (sums[-1] - sums[places - 1]) / (count - places)
    best = int(places[np.argmax((before - after) ** 2 * places * (count - places))])
    levels = np.where(np.arange(count) < best, means[:best].mean(), means[best:].mean())
    return best, levels

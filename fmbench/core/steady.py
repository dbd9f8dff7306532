"""Where the warm-up really ended: the MSER-5 rule, and whether the measured window began too early.

MSER-5 (White, Cobb and Spratt, Winter Simulation Conference 2000) averages the series by fives and cuts off as many batches at
its start as make the standard error of the rest smallest, at most half. The cut is believed only when what it leaves out differs
from what it keeps by more than chance (by four standard errors): on a steady series the bare rule cuts at random.

Where there is a ramp the cut is near its end, and by chance some way behind: a window that begins after the ramp can hold a part
that is cut off with it. That the window began too early is believed when that part, too, differs from what is kept, in the ramp's
direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fmbench.core.intervals import dependence
from fmbench.core.quantiles import Floats

BATCH = 5
FEWEST_BATCHES = 8
CLEAR = 4.0
"""Standard errors between what is cut off and the rest."""
CLEAR_INSIDE = 3.0
"""Standard errors between the part of a window that is cut off and the rest. A tenth of a window that is nearer to the rest moves
the window's mean by at most one of its standard errors, a quarter of it by 1.7."""


@dataclass(frozen=True, slots=True)
class Steady:
    """``steady_from`` is the time (as given) from which the series is steady; ``cut`` how many of its values come before."""

    steady_from: float
    cut: int
    before: float
    """The mean of what was cut."""
    after: float
    """The mean of the rest."""


def mser5_cut(series: Floats) -> int:
    """How many values MSER-5 cuts off at the start of a series: a multiple of five, at most half."""
    batches = len(series) // BATCH
    if batches < FEWEST_BATCHES:
        return 0
    means = series[: batches * BATCH].reshape(batches, BATCH).mean(axis=1)
    means = means - means.mean()
    kept = np.arange(batches, 0, -1)
    sums, squares = np.cumsum(means[::-1])[::-1], np.cumsum((means**2)[::-1])[::-1]
    error = (squares - sums**2 / kept) / kept**2
    return int(np.argmin(error[: batches // 2 + 1])) * BATCH


def steady_state(times: Floats, series: Floats) -> Steady | None:
    """The steady part of values in the order of time; None when the whole series is steady, or too short to say."""
    cut = mser5_cut(series)
    if cut == 0 or not _differ(series[:cut], series[cut:]):
        return None
    return Steady(float(times[cut]), cut, float(series[:cut].mean()), float(series[cut:].mean()))


def unsteady_s(steady: Steady, times: Floats, series: Floats, begin: float, end: float) -> float:
    """Seconds at the start of the window from ``begin`` to ``end`` in which the series was not steady yet; 0 when what the window
    holds from before the cut is as the rest."""
    before = series[(times >= begin) & (times < steady.steady_from)]
    if not len(before):
        return 0.0
    rest = series[steady.cut :]
    apart = (float(before.mean()) - steady.after) * math.copysign(1.0, steady.before - steady.after)
    return min(steady.steady_from, end) - begin if apart > CLEAR_INSIDE * _error(before, rest) else 0.0


def _differ(first: Floats, rest: Floats) -> bool:
    return abs(float(first.mean()) - float(rest.mean())) > CLEAR * _error(first, rest)


def _error(first: Floats, rest: Floats) -> float:
    """Of the difference of their means, by the scatter of the rest, and its dependence: what was cut off may be a ramp, whose own
    scatter says nothing."""
    return float(rest.std(ddof=1)) * math.sqrt(dependence(rest).design_effect * (1 / len(first) + 1 / len(rest)))

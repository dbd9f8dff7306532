"""Where the warm-up really ended: the MSER-5 rule, and whether the measured window began too early.

MSER-5 (White, Cobb and Spratt, Winter Simulation Conference 2000) averages the series by fives and cuts off as many batches at
its start as make the standard error of the rest smallest, at most half. The cut is believed only when what it leaves out differs
from what it keeps by more than chance (by four standard errors): on a steady series the bare rule cuts at random.
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


def _differ(first: Floats, rest: Floats) -> bool:
    """By the scatter of the rest, and its dependence: what was cut off may be a ramp, whose own scatter says nothing."""
    known = dependence(rest)
    error = float(rest.std(ddof=1)) * math.sqrt(known.design_effect * (1 / len(first) + 1 / len(rest)))
    return abs(float(first.mean()) - float(rest.mean())) > CLEAR * error

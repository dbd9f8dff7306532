"""How long people think between an answer and their next question."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

BEGUN_BEFORE = 20
"""So many thoughts ago."""
Draw = Callable[[random.Random, float, float], float]


def _lognormal(dice: random.Random, mean: float, cv: float) -> float:
    variance = math.log1p(cv * cv)
    return dice.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))


SPREADS: dict[str, Draw] = {
    "constant": lambda dice, mean, cv: mean,
    "uniform": lambda dice, mean, cv: dice.uniform(0.0, 2 * mean),
    "exponential": lambda dice, mean, cv: dice.expovariate(1 / mean),
    "lognormal": _lognormal,
}
"""By the name that ``load.think_time_s.spread`` takes: one thought of a mean and (for some) a coefficient of variation."""


def think_times(dice: random.Random, spread: str, mean: float, cv: float = 1.0) -> Iterator[float]:
    """Seconds, one thought after the other, without end."""
    while True:
        yield SPREADS[spread](dice, mean, cv) if mean else 0.0


def left_of_a_thought(thoughts: Iterator[float], mean: float, share: float) -> float:
    """Seconds until somebody who began long ago asks next. ``share``: where in the ``mean`` thought it is looked at, 0 to 1.

    Users who all began with a question would ask together, and then together be silent.
    """
    left = -mean * (BEGUN_BEFORE + share)
    while left <= 0 < mean:
        left += next(thoughts)
    return max(0.0, left)

"""How long people think between an answer and their next question."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

Draw = Callable[[random.Random, float, float], float]


def _lognormal(dice: random.Random, mean: float, cv: float) -> float:
    variance = math.log1p(cv * cv)
    return dice.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))


SPREADS: dict[str, Draw] = {
    "constant": lambda dice, mean, cv: mean,
    "exponential": lambda dice, mean, cv: dice.expovariate(1 / mean),
    "lognormal": _lognormal,
}
"""By the name that ``load.think_time_s.spread`` takes: one thought of a mean and (for some) a coefficient of variation."""


def think_times(dice: random.Random, spread: str, mean: float, cv: float = 1.0) -> Iterator[float]:
    """Seconds, one thought after the other, without end."""
    while True:
        yield SPREADS[spread](dice, mean, cv) if mean else 0.0

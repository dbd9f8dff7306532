"""Arrivals in bursts, or more even than chance: gaps have a gamma distribution."""

from __future__ import annotations

import random
from collections.abc import Iterator

NAME = "gamma"


def gaps(dice: random.Random, shape: float) -> Iterator[float]:
    """Gaps of mean 1 and variance 1 / ``shape``; the first one is what is left of a gap that has begun, as at any moment of an
    arrival process that has gone on for long. Begun with a whole gap, a short window had (1 / ``shape`` - 1) / 2 too many."""
    yield dice.random() * dice.gammavariate(shape + 1, 1 / shape)
    while True:
        yield dice.gammavariate(shape, 1 / shape)

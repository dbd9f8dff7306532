"""Arrivals in bursts, or more even than chance: gaps have a gamma distribution."""

from __future__ import annotations

import random
from collections.abc import Iterator

NAME = "gamma"


def gaps(dice: random.Random, shape: float) -> Iterator[float]:
    """Gaps of mean 1 and variance 1 / ``shape``."""
    while True:
        yield dice.gammavariate(shape, 1 / shape)

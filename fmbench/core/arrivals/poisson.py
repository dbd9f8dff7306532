"""Arrivals of many users who know nothing of each other: gaps are exponential."""

from __future__ import annotations

import random
from collections.abc import Iterator

NAME = "poisson"


def gaps(dice: random.Random, shape: float) -> Iterator[float]:
    """Gaps of mean 1."""
    while True:
        yield dice.expovariate(1.0)

"""Arrivals of a clock: every gap is the same, and the first one is half of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain, repeat

NAME = "constant"


def gaps(dice: random.Random, shape: float) -> Iterator[float]:
    """Gaps of 1."""
    return chain((0.5,), repeat(1.0))

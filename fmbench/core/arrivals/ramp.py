"""A rate that rises or falls evenly."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ramp:
    """From ``start_per_min`` to ``end_per_min`` over ``over_s`` seconds, after ``ahead_s`` seconds at the first."""

    start_per_min: float
    end_per_min: float
    over_s: float
    ahead_s: float = 0.0

    @property
    def mean_per_min(self) -> float:
        return (self.start_per_min + self.end_per_min) / 2

    @property
    def peak_per_min(self) -> float:
        return max(self.start_per_min, self.end_per_min)

    @property
    def length_s(self) -> float | None:
        return self.over_s

    def time_of(self, expected: float) -> float | None:
        start, slope = self.start_per_min / 60, (self.end_per_min - self.start_per_min) / 60 / self.over_s
        left = expected - start * self.ahead_s
        if left < 0:
            return expected / start
        if left > self.mean_per_min / 60 * self.over_s:
            return None
        # left = start t + slope t^2 / 2, in the form that holds for a slope of 0 too
        root = math.sqrt(max(0.0, start * start + 2 * slope * left))
        return self.ahead_s + (2 * left / (start + root) if left else 0.0)

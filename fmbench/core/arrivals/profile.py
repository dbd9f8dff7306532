"""A rate that goes from step to step, as the hours of a day squeezed into one."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Profile:
    """Each rate of ``per_min`` for its equal part of ``over_s`` seconds. ``ahead_s``: so long at the first rate before."""

    per_min: tuple[float, ...]
    over_s: float
    ahead_s: float = 0.0

    @property
    def mean_per_min(self) -> float:
        return sum(self.per_min) / len(self.per_min)

    @property
    def peak_per_min(self) -> float:
        return max(self.per_min)

    @property
    def length_s(self) -> float | None:
        return self.over_s

    def time_of(self, expected: float) -> float | None:
        step_s = self.over_s / len(self.per_min)
        lengths = [self.ahead_s, *(step_s for _ in self.per_min)]
        counts = [rate / 60 * length for rate, length in zip((self.per_min[0], *self.per_min), lengths, strict=True)]
        ends = list(accumulate(counts))
        step = bisect_left(ends, expected)
        if step == len(ends):
            return None
        before = ends[step] - counts[step]
        share = (expected - before) / counts[step] if counts[step] else 1.0
        return sum(lengths[:step]) + share * lengths[step]

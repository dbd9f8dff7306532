"""One rate for as long as it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Steady:
    """``per_min`` arrivals a minute."""

    per_min: float

    @property
    def mean_per_min(self) -> float:
        return self.per_min

    @property
    def peak_per_min(self) -> float:
        return self.per_min

    @property
    def length_s(self) -> float | None:
        return None

    def time_of(self, expected: float) -> float | None:
        return expected * 60 / self.per_min

"""What a rate over time has to tell."""

from __future__ import annotations

from typing import Protocol


class RateShape(Protocol):
    """A rate over time, seconds after the start."""

    @property
    def mean_per_min(self) -> float:
        """The mean rate."""

    @property
    def peak_per_min(self) -> float:
        """The highest rate."""

    @property
    def length_s(self) -> float | None:
        """How long the shape goes on; None: for ever."""

    def time_of(self, expected: float) -> float | None:
        """When ``expected`` arrivals are due in the mean, seconds; None: never."""

"""How far two cells of one run are apart by a figure: by prompt where both sent the same ones, else by their own intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scipy import special

from fmbench.core.contrast import SMALLEST, Contrast
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.rates import Rate
from fmbench.core.intervals import Interval, difference_interval
from fmbench.core.results import CellResult
from fmbench.core.samples import TAIL


@dataclass(frozen=True, slots=True)
class Apart:
    """``difference``: another cell's value minus one's own, ``value``; with the 95 % interval. ``paired``: by prompt."""

    value: float
    difference: float
    interval: Interval
    p: float | None = None
    """Of no difference at all, where it was tested by prompt."""

    @property
    def paired(self) -> bool:
        """Whether requests with the same prompt were compared with each other."""
        return self.p is not None

    @property
    def matters(self) -> bool:
        """Whether so large a difference is anybody's concern."""
        return abs(self.difference) >= SMALLEST * abs(self.value)

    def is_noise(self, rivals: int = 1) -> bool:
        """Whether none that matters is shown; ``rivals`` such intervals hold together with 95 % (Bonferroni)."""
        if not self.matters:
            return True
        if self.p is not None:
            return self.p >= 2 * TAIL / max(rivals, 1)
        wider = wider_for(rivals)
        low, high = (self.difference + wider * (end - self.difference) for end in self.interval)
        return low <= 0 <= high


def wider_for(rivals: int) -> float:
    """How much wider an interval has to be for so many of them to hold together."""
    return float(special.ndtri(TAIL / max(rivals, 1)) / special.ndtri(TAIL))


def apart(one: CellResult, other: CellResult, figure: Figure) -> Apart | None:
    """How far ``other`` is from ``one``, by prompt where both sent the same ones; None where either has no value."""
    alone = by_intervals(one, other, figure)
    paired = None if alone is None else _by_prompt(one, other, figure)
    if alone is None or paired is None:
        return alone
    size = 1.0 if figure.in_points else alone.value
    return replace(alone, interval=(size * paired.interval[0], size * paired.interval[1]), p=paired.p)


def by_intervals(one: CellResult, other: CellResult, figure: Figure) -> Apart | None:
    """The same by each cell's own interval, whatever they sent."""
    ours, theirs = figure.measured(one.row), figure.measured(other.row)
    if ours is None or theirs is None:
        return None
    return Apart(ours[0], theirs[0] - ours[0], difference_interval(*theirs, *ours))


def _by_prompt(one: CellResult, other: CellResult, figure: Figure) -> Contrast | None:
    """None where the cells did not send the same prompts, and of a rate: users of other levels send at another."""
    if isinstance(figure, Rate):
        return None
    found = figure.contrast([one.cell], [other.cell])
    return found if found is not None and found.paired else None

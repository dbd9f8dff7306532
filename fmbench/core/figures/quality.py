"""The mean score of the answers. Prompts are what is sampled: a limit is decided when their 95 % interval is clear of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fmbench.core.figures.figure import CellRow, Difference, Figure, Judgement, Sample
from fmbench.core.reasons import MorePrompts, NotScored
from fmbench.core.units import SCORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fmbench.core.cells import MeasuredCell
    from fmbench.core.contrast import Contrast
    from fmbench.core.intervals import Interval
    from fmbench.core.looks import Counts
    from fmbench.core.sequential import Evidence


@dataclass(frozen=True, kw_only=True)
class MeanScore(Figure):
    """The mean score, from 0 to 1."""

    def interval(self, row: CellRow) -> tuple[float | None, Interval | None]:
        """None where no answer was scored."""
        found = row[self.key]
        return (None, None) if found is None else (found["value"], (found["ci95"][0], found["ci95"][1]))

    def count(self, row: CellRow) -> int:
        """The scored answers."""
        return int(row[self.key]["n"])

    def judge(self, limit: float, sample: Sample) -> Judgement:
        """At least so good; asks for more prompts, and not for more answers to the same ones."""
        from fmbench.core.judging import at_least

        name, found = str(self.objective), sample.quality
        if found is None:
            return at_least(name, limit, None, 0, NotScored())
        judgement = at_least(name, limit, (found.value, found.interval), found.prompts, NotScored())
        if judgement.requests_needed is None or found.prompts == found.answers:
            return judgement
        why = MorePrompts(found.prompts, found.prompts + judgement.requests_needed)
        return replace(judgement, requests_needed=None, why=why)

    def evidence(self, limit: float, counts: Counts) -> Evidence | None:
        """Never waited for: answers are scored after the load."""
        return None

    def contrast(self, a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Contrast | None:
        """By prompts, with all answers to each."""
        from fmbench.core.contrast import of_mean
        from fmbench.core.sides import scores

        found = scores(a, b)
        return None if found is None else of_mean(*found)


QUALITY = MeanScore(
    key="quality",
    unit=SCORE,
    less_is_better=False,
    title="quality",
    heading="Quality",
    definition="The mean score of the answers to prompts with known answers, from 0 to 1.",
    columns=("quality",),
    rank=40,
    difference=Difference("scores", "lower", "higher"),
    objective="quality_min",
    bound="share",
    always_compared=True,
    judged="met when the 95 % interval lies at or above the limit, not met when it lies below",
    takes="quality",
)

FIGURES = (QUALITY,)

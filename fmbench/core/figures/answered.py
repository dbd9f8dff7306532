"""The share of the whole answers that are text: neither empty, nor reasoning alone, nor cut off, nor filtered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmbench.core.figures.figure import CellRow, Difference, Figure, Judgement, Sample
from fmbench.core.units import PER_CENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fmbench.core.cells import MeasuredCell
    from fmbench.core.contrast import Contrast
    from fmbench.core.intervals import Interval
    from fmbench.core.looks import Counts
    from fmbench.core.sequential import Evidence


@dataclass(frozen=True, kw_only=True)
class AnsweredShare(Figure):
    """Of the ok requests whose record says what the answer gave, the share that gave text."""

    def interval(self, row: CellRow) -> tuple[float | None, Interval | None]:
        """Clopper and Pearson's. None where no record says what its answer gave."""
        found = row.get(self.key) or {}
        ends = found.get("ci95")
        return found.get("value"), (ends[0], ends[1]) if ends else None

    def judge(self, limit: float, sample: Sample) -> Judgement:
        """At least so many: what is not text is held to the rest, as failures are to an error rate."""
        from fmbench.core.error_limits import judge_rest

        return judge_rest(self, limit, sample)

    def evidence(self, limit: float, counts: Counts) -> Evidence | None:
        """By the share that is not text."""
        from fmbench.core.looks import evidence_of_share

        return evidence_of_share(lambda each: (each.told - each.text, each.told), round(1 - limit, 12), counts)

    def contrast(self, a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Contrast | None:
        """Which of the answers are text."""
        from fmbench.core.contrast import of_flags
        from fmbench.core.sides import texts

        return of_flags(*texts(a, b))


ANSWERED_SHARE = AnsweredShare(
    key="answered_share",
    unit=PER_CENT,
    less_is_better=False,
    title="answers with text",
    heading="With text",
    definition="Of the whole answers, the share that gave visible text: not empty, reasoning alone, cut off or filtered.",
    columns=("answered", "outcome"),
    rank=25,
    difference=Difference("gives text", "less often", "more often"),
    objective="answered_share",
    bound="share",
    in_points=True,
    judged=(
        "met when the lower bound of the share that is text (too high one time in twenty) is at or above the limit, "
        "not met when the 95 % interval lies below"
    ),
)

FIGURES = (ANSWERED_SHARE,)

"""The error rate. A limit is met when its upper bound lies at or below it, not met when the 95 % interval lies above."""

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
class ErrorRate(Figure):
    """The share of the requests that ended that failed."""

    def interval(self, row: CellRow) -> tuple[float | None, Interval | None]:
        """Clopper and Pearson's."""
        ends = row[self.key]["ci95"]
        return row[self.key]["value"], (ends[0], ends[1]) if ends else None

    def count(self, row: CellRow) -> int:
        """All requests, not the answers alone."""
        return int(row["requests"])

    def judge(self, limit: float, sample: Sample) -> Judgement:
        """At most so many."""
        from fmbench.core import error_limits

        return error_limits.judge(self, limit, sample)

    def evidence(self, limit: float, counts: Counts) -> Evidence | None:
        """By the share that failed."""
        from fmbench.core.looks import evidence_of_share

        return evidence_of_share(lambda each: (each.failed, each.ended), limit, counts)

    def contrast(self, a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Contrast | None:
        """Which of the requests that ended failed."""
        from fmbench.core.contrast import of_flags
        from fmbench.core.sides import failures

        return of_flags(*failures(a, b))


ERROR_RATE = ErrorRate(
    key="error_rate",
    unit=PER_CENT,
    less_is_better=True,
    title="error rate",
    heading="Failed",
    definition="Of the requests that ended, the share that failed.",
    columns=("outcome",),
    rank=20,
    difference=Difference("fails", "more", "less"),
    objective="error_rate",
    bound="share",
    always_compared=True,
    in_points=True,
    judged=(
        "met when the upper bound of the share that failed (too low one time in twenty) is at or below the limit, "
        "not met when the 95 % interval lies above"
    ),
)

FIGURES = (ERROR_RATE,)

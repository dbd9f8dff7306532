"""Cost for 10,000 answers. A limit is decided when the 95 % interval lies on one side of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmbench.core.figures.figure import UNDECIDED, Absent, CellRow, Difference, Figure, Judgement, Sample, interval_of
from fmbench.core.reasons import NoPrice, NothingAnswered
from fmbench.core.units import DOLLARS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fmbench.core.cells import MeasuredCell
    from fmbench.core.contrast import Contrast
    from fmbench.core.intervals import Interval
    from fmbench.core.looks import Counts
    from fmbench.core.sequential import Evidence


@dataclass(frozen=True, kw_only=True)
class Cost(Figure):
    """USD for 10,000 answers."""

    def interval(self, row: CellRow) -> tuple[float | None, Interval | None]:
        """As it stands in the summary."""
        return interval_of(row, self.key)

    def absent(self, row: CellRow) -> Absent | None:
        """Nothing to pay for, or no price."""
        return Absent("price_unknown" if row["ok"] else "nothing_answered")

    def judge(self, limit: float, sample: Sample) -> Judgement:
        """At most so much."""
        from fmbench.core.judging import at_most

        value, ends = self.interval(sample.row)
        if value is not None and ends is None:
            return Judgement(self.key, limit, UNDECIDED, value)
        missing = NoPrice() if sample.rows.ok.any() else NothingAnswered()
        return at_most(self.key, limit, self.measured(sample.row), int(sample.rows.ok.sum()), missing)

    def evidence(self, limit: float, counts: Counts) -> Evidence | None:
        """By what answers cost; none is to be had where the price of any is not known."""
        from fmbench.core.looks import evidence_of_mean

        if counts.priced.sum() < counts.ok.sum():
            return None
        return evidence_of_mean(lambda each: (each.usd, each.ok), limit / 10_000, counts)

    def contrast(self, a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Contrast | None:
        """By what each answer cost, to the picodollar."""
        from fmbench.core.contrast import of_mean
        from fmbench.core.sides import costs

        found = costs(a, b)
        return None if found is None else of_mean(*found)


COST = Cost(
    key="usd_per_10k",
    unit=DOLLARS,
    less_is_better=True,
    title="cost",
    heading="$ / 10,000",
    definition="What the measured requests cost, failed ones that were charged included, for 10,000 answers.",
    columns=("usd", "outcome"),
    rank=30,
    difference=Difference("costs", "more", "less"),
    objective="usd_per_10k",
    always_compared=True,
    judged="met when the 95 % interval lies at or below the limit, not met when it lies above",
)

FIGURES = (COST,)

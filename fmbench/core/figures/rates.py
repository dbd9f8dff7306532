"""Rates: time averages over the measured windows. A limit is decided when the 95 % interval lies on one side of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmbench.core.figures.figure import CellRow, Difference, Figure, Judgement, Sample, interval_of
from fmbench.core.reasons import NothingMeasured
from fmbench.core.units import A_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fmbench.core.cells import MeasuredCell
    from fmbench.core.contrast import Contrast
    from fmbench.core.intervals import Interval
    from fmbench.core.looks import Counts
    from fmbench.core.sequential import Evidence

COMPLETIONS, OUTPUT_TOKENS, IN_FLIGHT = RATES = ("completions", "output_tokens", "in_flight")
"""What is averaged over time."""


@dataclass(frozen=True, kw_only=True)
class Rate(Figure):
    """A rate over the window; more of it is better."""

    rate: str
    """Its name among ``RATES``."""
    judged: str = "met when the 95 % interval lies at or above the limit, not met when it lies below"

    def interval(self, row: CellRow) -> tuple[float | None, Interval | None]:
        """As it stands in the summary."""
        return interval_of(row, self.key)

    def judge(self, limit: float, sample: Sample) -> Judgement:
        """At least so many."""
        from fmbench.core.judging import at_least

        value, ends = self.interval(sample.row)
        found = None if value is None or ends is None else (value, ends)
        return at_least(self.key, limit, found, len(sample.rows), NothingMeasured())

    def evidence(self, limit: float, counts: Counts) -> Evidence | None:
        """By its slices; only completions are counted while a cell is measured."""
        from fmbench.core.looks import evidence_of_mean
        from fmbench.core.sequential import NOTHING, Evidence

        if self.rate != COMPLETIONS:
            return NOTHING
        at_most = evidence_of_mean(lambda each: each.rates(), limit, counts)
        return Evidence(at_most.not_met, at_most.met, -at_most.lean)

    def contrast(self, a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Contrast | None:
        """By the cycles of the users; only completions are compared."""
        from fmbench.core.contrast import of_mean
        from fmbench.core.sides import completions

        return of_mean(*completions(a, b)) if self.rate == COMPLETIONS else None


TRANSACTIONS = Rate(
    key="transactions_per_minute",
    unit=A_MINUTE,
    less_is_better=False,
    title="throughput",
    heading="Transactions a minute",
    definition="Answers in the measured window, each counted by its share inside it, by the window's length.",
    columns=("outcome", "sent_at", "ended_at"),
    rank=10,
    difference=Difference("answers", "fewer", "more"),
    objective="transactions_per_minute",
    always_compared=True,
    rate=COMPLETIONS,
)

FIGURES = (TRANSACTIONS,)

"""Percentiles and means of latencies. Any percentile of any latency is a figure: ``ttft_p75_s``, ``e2e_p99.9_s``.

A percentile's limit (``ttft_p95_s: 1.5``) asks whether at least 95 % of the answers came within 1.5 s. The share within is a
binomial sample over the effective number of requests: met when its 95 % interval lies at or above 0.95, not met when below.
Answers are the ok requests, and those that timed out, whose true latency is only known to be longer: they count as not within.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmbench.core.figures.figure import Absent, CellRow, Difference, Figure, Judgement, Sample
from fmbench.core.figures.latencies import BY_KEY, LATENCIES, Latency
from fmbench.core.samples import PERCENTILES, name_of, samples_needed
from fmbench.core.units import SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fmbench.core.cells import MeasuredCell
    from fmbench.core.contrast import Contrast
    from fmbench.core.intervals import Interval
    from fmbench.core.looks import Counts
    from fmbench.core.quantiles import Floats
    from fmbench.core.sequential import Evidence

SLOWER = Difference("is", "slower", "faster")
_NAME = re.compile(rf"({'|'.join(sorted(BY_KEY, key=len, reverse=True))})_(mean|p\d{{1,2}}(?:\.\d{{1,3}})?)(?:_s)?")


@dataclass(frozen=True, kw_only=True)
class OfLatency(Figure):
    """A figure that stands in the summary as ``<latency>_s.<name>``."""

    latency: Latency
    name: str
    """``p95``, ``mean``."""

    def interval(self, row: CellRow) -> tuple[float | None, Interval | None]:
        """Read off the latency's description."""
        described = row[self.latency.column]
        ends = described["ci95"][self.name]
        return described[self.name], (ends[0], ends[1]) if ends else None


@dataclass(frozen=True, kw_only=True)
class Mean(OfLatency):
    """The mean of a latency."""

    def contrast(self, a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Contrast | None:
        """By the values themselves."""
        from fmbench.core.contrast import of_mean
        from fmbench.core.sides import answers

        return of_mean(*answers(a, b, self.latency.column))


@dataclass(frozen=True, kw_only=True)
class Percentile(OfLatency):
    """One percentile of a latency."""

    percent: float

    @property
    def share(self) -> float:
        """The share of answers that are at least as fast."""
        return self.percent / 100

    def judge(self, limit: float, sample: Sample) -> Judgement:
        """By the share of the answers within the limit."""
        from fmbench.core import latency_limits

        return latency_limits.judge(self, limit, sample)

    def absent(self, row: CellRow) -> Absent | None:
        """How many answers it takes, and how many there are."""
        seen = row[self.latency.column]["n"]
        return Absent("too_few", self.samples_needed, seen) if seen else Absent("none_seen")

    def evidence(self, limit: float, counts: Counts) -> Evidence | None:
        """By the share of the answers that are not within; none is to be had where no answer has such a latency."""
        from fmbench.core.looks import evidence_of_share
        from fmbench.core.sequential import NOTHING

        if not counts.latencies[self.key][0].sum():
            return None if counts.ok.sum() else NOTHING

        def beyond(each: Counts) -> tuple[Floats, Floats]:
            counted, within = each.latencies[self.key]
            return counted - within, counted

        return evidence_of_share(beyond, 1 - self.share, counts)

    def stated(self, a: CellRow, b: CellRow) -> Figure | None:
        """Itself, or the highest percentile below it that both cells have enough answers for."""
        count = min(row[self.latency.column]["n"] for row in (a, b))
        usual = (percentile(self.latency, percent) for percent in PERCENTILES if percent < self.percent)
        enough = [figure for figure in (*usual, self) if count >= figure.samples_needed]
        return max(enough, key=lambda figure: figure.percent, default=None)

    def contrast(self, a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Contrast | None:
        """By which answers lie beyond the pooled percentile."""
        from fmbench.core.contrast import of_quantile
        from fmbench.core.sides import answers

        return of_quantile(*answers(a, b, self.latency.column), self.share)


def percentile(latency: Latency, percent: float) -> Percentile:
    """The percentile of a latency at ``percent`` (0 < percent < 100)."""
    name = name_of(percent)
    return Percentile(
        key=f"{latency.key}_{name}_s",
        unit=SECONDS,
        less_is_better=True,
        title=f"{latency.short} {name}",
        heading=f"{latency.heading} {name}",
        definition=f"{percent:g} % of the answers were at least as fast. {latency.definition}",
        columns=(latency.column,),
        rank=latency.rank + percent / 1000,
        difference=SLOWER,
        objective=f"{latency.key}_{name}_s",
        bound="seconds",
        always_compared=percent in latency.always_compared,
        samples_needed=samples_needed(percent / 100),
        judged=(
            f"met when the 95 % interval of the share of answers within the limit lies at or above {percent:g} %, not met "
            f"when it lies below; it takes {samples_needed(percent / 100):,} answers, all within"
        ),
        latency=latency,
        name=name,
        percent=percent,
    )


def mean(latency: Latency) -> Mean:
    """The mean of a latency."""
    return Mean(
        key=f"{latency.key}_mean_s",
        unit=SECONDS,
        less_is_better=True,
        title=f"{latency.short} mean",
        heading=f"{latency.heading} mean",
        definition=f"The mean over the answers. {latency.definition}",
        columns=(latency.column,),
        rank=latency.rank,
        difference=SLOWER,
        latency=latency,
        name="mean",
    )


def of_latency(name: str) -> OfLatency | None:
    """The figure that ``ttft_p95_s`` or ``ttft_p95`` names; None when it is of no latency."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    latency = BY_KEY[match[1]]
    if match[2] == "mean":
        return mean(latency)
    percent = float(match[2][1:])
    return percentile(latency, percent) if percent > 0 and name_of(percent) == match[2] else None


FIGURES: tuple[OfLatency, ...] = tuple(
    figure for latency in LATENCIES for figure in (mean(latency), *(percentile(latency, percent) for percent in PERCENTILES))
)
"""The usual ones; any other percentile is made when it is asked for."""

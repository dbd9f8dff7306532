"""Two runs, or two populations of runs, cell by cell: what changed, by how much, and whether it is more than noise.

Cells are matched by model, bucket and concurrency. For each figure:

- the **change** from A to B, as a share of A (an error rate: in points), with its 95 % interval and its p (``contrast``);
- the **correction** over all tests of the comparison (``multiplicity``): first the cell, then its figures. A difference is
  claimed when its corrected p is under 0.05 and it is one that matters. Where none is, the interval says which are ruled out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from fmbench.core.cells import Key, measured_cells
from fmbench.core.contrast import SIGNIFICANT, SMALLEST, Contrast
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.percentiles import Percentile
from fmbench.core.figures.registry import ALWAYS_COMPARED, of_rule
from fmbench.core.intervals import FEWEST_BLOCKS, Interval
from fmbench.core.multiplicity import gatekept
from fmbench.core.results import CellResult, result_of
from fmbench.core.table import read

SMALLEST_POINTS = 0.001


@dataclass(frozen=True, slots=True)
class Run:
    """One run, or the runs of a population, as their folders hold them. A cell is of the runs that completed it."""

    run_id: str
    manifest: Mapping[str, Any]
    results: dict[Key, list[CellResult]]
    runs: int = 1

    @property
    def one_hour(self) -> bool:
        """Whether all was measured in one stretch of time: what the hour makes of a figure is in it."""
        return self.runs < 2 and min((cell.cell.blocks for (cell,) in self.results.values()), default=0) < FEWEST_BLOCKS


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one cell in both runs. ``change`` is (B - A) / A, or B - A of an error rate; None when A is 0."""

    figure: str
    a: float
    b: float
    n_a: int
    n_b: int
    change: float | None
    ci95: list[float] | None
    p: float | None
    p_corrected: float | None = None
    asked: str | None = None
    """The figure that was asked for, when the sample is too small for it and this one stands in."""
    paired: bool = False
    """Whether requests with the same prompt were compared with each other."""
    smallest: float = SMALLEST
    contrast: Contrast | None = field(default=None, compare=False, repr=False)

    @property
    def differs(self) -> bool:
        """Whether the difference is more than noise."""
        return self.p_corrected is not None and self.p_corrected < SIGNIFICANT

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``same`` (no difference is shown, or none that matters)."""
        if not self.differs or self.a == self.b or (self.change is not None and abs(self.change) < self.smallest):
            return "same"
        return "worse" if (self.b > self.a) == of_rule(self.figure).less_is_better else "better"

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the comparison's JSON."""
        shown = asdict(replace(self, contrast=None))
        del shown["contrast"]
        return shown | {"p_holm": self.p_corrected, "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Compared:
    """One cell of both runs."""

    model: str
    bucket: str
    concurrency: int
    rate_per_min: float | None
    changes: list[Change] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the comparison's JSON."""
        key = {"model": self.model, "bucket": self.bucket, "concurrency": self.concurrency}
        key |= {} if self.rate_per_min is None else {"rate_per_min": self.rate_per_min}
        return {**key, "changes": [change.to_dict() for change in self.changes]}


RunData = tuple[pd.DataFrame, Mapping[str, Any]]
"""Records (with the columns of ``table.COLUMNS``) and manifest of a run."""


def run_of(runs: Sequence[RunData], figures: Sequence[Figure] = ()) -> Run:
    """The runs of one side, made ready to compare."""
    percents: dict[str, list[float]] = {}
    for figure in figures:
        if isinstance(figure, Percentile):
            percents.setdefault(figure.latency.column, []).append(figure.percent)
    results: dict[Key, list[CellResult]] = {}
    for records, manifest in runs:
        for cell in measured_cells(read(records), manifest.get("cells") or [], {}):
            if cell.complete:
                results.setdefault(cell.key, []).append(result_of(cell, [], "", pd.DataFrame(), percents))
    names = ", ".join(str(manifest.get("run_id")) for _, manifest in runs)
    return Run(names, runs[0][1] if runs else {}, results, len(runs))


def compare_cells(a: Run, b: Run, figures: Sequence[Figure] = ALWAYS_COMPARED, smallest: float | None = None) -> list[Compared]:
    """Every cell that both sides completed, with the changes of ``figures``, corrected over all of them."""
    shared = [key for key in a.results if key in b.results]
    found = [Compared(*key, _changes(a.results[key], b.results[key], figures, smallest)) for key in shared]
    corrected = gatekept([[change.p for change in cell.changes] for cell in found])
    return [
        replace(cell, changes=[replace(change, p_corrected=p) for change, p in zip(cell.changes, chances, strict=True)])
        for cell, chances in zip(found, corrected, strict=True)
    ]


def _changes(a: Sequence[CellResult], b: Sequence[CellResult], figures: Sequence[Figure], smallest: float | None) -> list[Change]:
    made = [_change(figure, a, b, smallest) for figure in figures]
    seen: dict[str, Change] = {}
    for change in made:
        if change is not None:
            seen.setdefault(change.figure, change)
    return list(seen.values())


def _change(asked: Figure, a: Sequence[CellResult], b: Sequence[CellResult], smallest: float | None) -> Change | None:
    """The change of one figure; a percentile that a sample is too small for gives way to the highest one that all can state."""
    figure: Figure | None = asked
    for first in a:
        for second in b:
            figure = None if figure is None else figure.stated(first.row, second.row)
    if figure is None:
        return None
    value_a, value_b = _mean(figure, a), _mean(figure, b)
    if value_a is None or value_b is None:
        return None
    contrast = figure.contrast([result.cell for result in a], [result.cell for result in b])
    usual = SMALLEST_POINTS if figure.in_points else SMALLEST
    return Change(
        figure.rule,
        value_a,
        value_b,
        sum(figure.count(result.row) for result in a),
        sum(figure.count(result.row) for result in b),
        change=None if contrast is None else contrast.change,
        ci95=None if contrast is None else _possible(figure, contrast.interval),
        p=None if contrast is None else contrast.p,
        asked=None if figure == asked else asked.rule,
        paired=contrast is not None and contrast.paired,
        smallest=usual if smallest is None else smallest,
        contrast=contrast,
    )


def _possible(figure: Figure, ends: Interval) -> list[float]:
    """The interval of a change, within what a share can change by."""
    return [min(max(end, -1.0), 1.0) for end in ends] if figure.in_points else [*ends]


def _mean(figure: Figure, side: Sequence[CellResult]) -> float | None:
    """A figure of a side: of several runs the mean of theirs."""
    values = [figure.interval(result.row)[0] for result in side]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None

"""Two runs, cell by cell: what changed, by how much, and whether it is more than noise.

Cells are matched by model, bucket and concurrency. For each figure:

- the **change** from A to B, as a share of A (an error rate: in points), with its 95 % interval (MOVER on the logarithms);
- a **permutation test** on batches of requests: batches in the order of time, long enough that neighbours no longer resemble
  each other (or whole blocks, where both runs repeat the cell at least five times), are dealt to A and B anew 9,999 times. A
  percentile is tested by the share of requests beyond the pooled percentile, a rate by its slices of the window, quality by
  prompts with all answers to each;
- **Holm's correction** over all tests of the comparison (Scandinavian Journal of Statistics 6, 1979): a difference is claimed
  when its corrected p is under 0.05. Where none is claimed, the interval says which differences are ruled out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmbench.core.cells import MeasuredCell, measured_cells
from fmbench.core.figures import Figures, figures_of
from fmbench.core.intervals import FEWEST_BLOCKS, Interval, batch_size, difference_interval
from fmbench.core.metrics import BY_KEY
from fmbench.core.quantiles import PERCENTILES, Floats, samples_needed
from fmbench.core.scores import prompts_of, scored_in
from fmbench.core.statistics import slice_rates
from fmbench.core.table import read

PERMUTATIONS = 9_999
SEED = 7
SIGNIFICANT = 0.05
FEWEST_BATCHES = 4

LATENCIES = ("ttft_p50", "ttft_p95", "e2e_p50", "e2e_p95", "tpot_p50")
STANDARD = (*LATENCIES, "transactions_per_minute", "error_rate", "usd_per_10k", "quality")
"""The figures that every comparison tests, quality where both runs scored answers; more tests would make each of them weaker."""
MORE_IS_BETTER = frozenset({"transactions_per_minute", "quality"})
IN_POINTS = frozenset({"error_rate"})


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as its folder holds it."""

    run_id: str
    manifest: Mapping[str, Any]
    figures: dict[tuple[str, str, int], Figures]


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
    p_holm: float | None = None
    asked: str | None = None
    """The figure that was asked for, when the sample is too small for it and this one stands in."""

    @property
    def differs(self) -> bool:
        """Whether the difference is more than noise."""
        return self.p_holm is not None and self.p_holm < SIGNIFICANT

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``same`` (no difference is shown)."""
        if not self.differs or self.a == self.b:
            return "same"
        return "better" if (self.b > self.a) == (self.figure in MORE_IS_BETTER) else "worse"

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the comparison's JSON."""
        return asdict(self) | {"verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Compared:
    """One cell of both runs."""

    model: str
    bucket: str
    concurrency: int
    changes: list[Change] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the comparison's JSON."""
        key = {"model": self.model, "bucket": self.bucket, "concurrency": self.concurrency}
        return {**key, "changes": [change.to_dict() for change in self.changes]}


def run_of(records: pd.DataFrame, manifest: Mapping[str, Any]) -> Run:
    """A run made ready to compare: ``records`` with the columns of ``table.COLUMNS``."""
    cells = measured_cells(read(records), manifest.get("cells") or [], {})
    complete = {cell.key: figures_of(cell, [], "", pd.DataFrame()) for cell in cells if cell.complete}
    return Run(str(manifest.get("run_id")), manifest, complete)


def compare_cells(a: Run, b: Run, figures: Sequence[str] = STANDARD) -> list[Compared]:
    """Every cell that both runs completed, with the changes of ``figures``, Holm-corrected over all of them."""
    shared = [key for key in a.figures if key in b.figures]
    found = [Compared(*key, _changes(a.figures[key], b.figures[key], figures)) for key in shared]
    corrected = iter(holm([change.p for cell in found for change in cell.changes]))
    return [replace(cell, changes=[replace(change, p_holm=next(corrected)) for change in cell.changes]) for cell in found]


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """Holm's corrected p of each test; None stays None and counts as no test."""
    places = sorted(
        (place for place, chance in enumerate(chances) if chance is not None), key=lambda place: chances[place] or 0.0
    )
    corrected: list[float | None] = [None] * len(chances)
    highest = 0.0
    for rank, place in enumerate(places):
        highest = max(highest, min(1.0, (len(places) - rank) * (chances[place] or 0.0)))
        corrected[place] = highest
    return corrected


def _changes(a: Figures, b: Figures, figures: Sequence[str]) -> list[Change]:
    made = [_change(name, a, b) for name in figures]
    seen: dict[str, Change] = {}
    for change in made:
        if change is not None:
            seen.setdefault(change.figure, change)
    return list(seen.values())


def _change(name: str, a: Figures, b: Figures) -> Change | None:
    """The change of one figure; a percentile that a sample is too small for gives way to the highest one that both can state."""
    figure = stated(name, a, b)
    if figure is None:
        return None
    (value_a, of_a), (value_b, of_b) = _value(a, figure), _value(b, figure)
    if value_a is None or value_b is None:
        return None
    change, interval = _relative(figure, value_a, of_a, value_b, of_b)
    chance = permutation_test(a, b, figure)
    asked = None if figure == name else name
    return Change(figure, value_a, value_b, _size(a, figure), _size(b, figure), change, interval, chance, asked=asked)


def _size(found: Figures, figure: str) -> int:
    """How many requests a figure is of."""
    if figure == "quality":
        return int(found.row["quality"]["n"])
    return int(found.row["requests" if figure == "error_rate" else "ok"])


def stated(name: str, a: Figures, b: Figures) -> str | None:
    """``name``, or the highest percentile of the same latency below it that both cells have enough answers for."""
    metric, _, figure = name.partition("_")
    if metric not in BY_KEY or not figure.startswith("p"):
        return name
    count = min(a.row[f"{metric}_s"]["n"], b.row[f"{metric}_s"]["n"])
    percents = [percent for percent in PERCENTILES if percent <= int(figure[1:]) and count >= samples_needed(percent / 100)]
    return f"{metric}_p{max(percents)}" if percents else None


def _value(found: Figures, name: str) -> tuple[float | None, Sequence[float] | None]:
    metric, _, figure = name.partition("_")
    if metric in BY_KEY:
        described = found.row[f"{metric}_s"]
        return described[figure], described["ci95"][figure]
    if name in ("error_rate", "quality"):
        share = found.row[name] or {}
        return share.get("value"), share.get("ci95")
    return found.row[name], found.row[f"{name}_ci95"]


def _relative(
    figure: str, a: float, of_a: Sequence[float] | None, b: float, of_b: Sequence[float] | None
) -> tuple[float | None, list[float] | None]:
    """The change and its interval: in points, or as a share of A by way of the logarithms."""
    ends = None if of_a is None or of_b is None else ((of_a[0], of_a[1]), (of_b[0], of_b[1]))
    if figure in IN_POINTS:
        return b - a, None if ends is None else list(difference_interval(b, ends[1], a, ends[0]))
    if a <= 0 or b <= 0:
        return None, None
    if ends is None or min(ends[0][0], ends[1][0]) <= 0:
        return b / a - 1, None
    logs: tuple[Interval, ...] = tuple((math.log(low), math.log(high)) for low, high in ends)
    low, high = difference_interval(math.log(b), logs[1], math.log(a), logs[0])
    return b / a - 1, [math.expm1(low), math.expm1(high)]


def permutation_test(a: Figures, b: Figures, figure: str) -> float | None:
    """The chance of so large a difference when batches are dealt to the two runs at random; None with too few batches."""
    units = (_by_prompt(a.cell), _by_prompt(b.cell)) if figure == "quality" else _in_batches(a.cell, b.cell, figure)
    if units is None or min(len(side) for side in units) < FEWEST_BATCHES:
        return None
    pooled = np.concatenate(units)
    seen = _difference(_first(len(units[0]), len(pooled)), pooled)[0]
    drawn = _difference(_dealt(len(units[0]), len(pooled)), pooled)
    return float((1 + np.sum(np.abs(drawn) >= abs(seen) * (1 - 1e-9))) / (1 + PERMUTATIONS))


def _in_batches(a: MeasuredCell, b: MeasuredCell, figure: str) -> tuple[Floats, Floats] | None:
    series = _series(a, b, figure)
    return None if series is None else _units(*series)


Series = tuple[Floats, NDArray[np.int64]]
"""Values in the order of time, and the block that each is from."""


def _series(a: MeasuredCell, b: MeasuredCell, figure: str) -> tuple[Series, Series] | None:
    """What the test compares the means of: the values themselves, or whether each lies beyond the pooled percentile."""
    if figure == "transactions_per_minute":
        return _slices(a), _slices(b)
    sides = [_answers(cell, figure) for cell in (a, b)]
    if not all(len(values) for values, _ in sides):
        return None
    metric, _, name = figure.partition("_")
    if metric in BY_KEY and name.startswith("p"):
        beyond = float(np.quantile(np.concatenate([values for values, _ in sides]), int(name[1:]) / 100))
        sides = [((values > beyond).astype(np.float64), blocks) for values, blocks in sides]
    return sides[0], sides[1]


def _answers(cell: MeasuredCell, figure: str) -> Series:
    rows = cell.rows[cell.rows.measured]
    metric = figure.partition("_")[0]
    if figure == "error_rate":
        values = np.where(rows.ok | rows.failed, rows.failed.astype(np.float64), np.nan)
    else:
        column = BY_KEY[metric].column if metric in BY_KEY else "usd"
        values = np.where(rows.ok, rows.number(column), np.nan)
    known = ~np.isnan(values)
    return values[known], _block_of(cell, rows.at[known])


def _slices(cell: MeasuredCell) -> Series:
    sides = [slice_rates(cell.rows, window, 32) for window in cell.windows]
    rates = [sums[:, 0] / seconds for seconds, sums in sides]
    blocks = [np.full(len(values), number) for number, values in enumerate(rates)]
    return (np.concatenate(rates), np.concatenate(blocks)) if rates else (np.empty(0), np.empty(0, dtype=np.int64))


def _block_of(cell: MeasuredCell, at: Floats) -> NDArray[np.int64]:
    starts = np.sort([start for start, _ in cell.windows])
    return np.asarray(np.searchsorted(starts[1:], at, side="right"), dtype=np.int64)


def _units(first: Series, second: Series) -> tuple[Floats, Floats]:
    """What is dealt: rows of (sum, count), a batch each; whole blocks where both runs have enough of them."""
    if min(len(np.unique(blocks)) for _, blocks in (first, second)) >= FEWEST_BLOCKS:
        return _by_block(first), _by_block(second)
    size = max(batch_size(values) for values, _ in (first, second))
    return _by_size(first[0], size), _by_size(second[0], size)


def _by_prompt(cell: MeasuredCell) -> Floats:
    """Of scored answers: (sum of scores, count), a row a prompt. Asked twice, a model often gives the same answer."""
    scored = scored_in(cell.rows[cell.rows.measured])
    if scored is None:
        return np.empty((0, 2))
    _, places = np.unique(prompts_of(scored), return_inverse=True)
    return np.stack([np.bincount(places, weights=scored.number("quality")), np.bincount(places)], axis=1).astype(np.float64)


def _by_block(series: Series) -> Floats:
    values, blocks = series
    return np.stack([np.bincount(blocks, weights=values), np.bincount(blocks)], axis=1).astype(np.float64)


def _by_size(values: Floats, size: int) -> Floats:
    starts = np.arange(0, len(values) - size + 1, size)
    counts = np.diff(np.append(starts, len(values)))
    return np.stack([np.add.reduceat(values, starts), counts], axis=1) if len(starts) else np.empty((0, 2))


@lru_cache(maxsize=64)
def _dealt(mine: int, total: int) -> Floats:
    """Random choices of ``mine`` of ``total`` batches: a row of ones and zeros a permutation. The same ones each time."""
    order = np.argsort(np.random.default_rng(SEED).random((PERMUTATIONS, total)), axis=1)
    return (order < mine).astype(np.float64)


def _first(mine: int, total: int) -> Floats:
    return (np.arange(total) < mine).astype(np.float64)[None, :]


def _difference(dealt: Floats, units: Floats) -> Floats:
    """The difference of the means of the two sides, for each way of dealing."""
    mine = dealt @ units
    rest = units.sum(axis=0) - mine
    return np.asarray(mine[:, 0] / mine[:, 1] - rest[:, 0] / rest[:, 1])

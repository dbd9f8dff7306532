"""What a permutation test deals to two cells: batches of requests, repeats, or prompts, each as (sum, count)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fmbench.core.cells import MeasuredCell
from fmbench.core.intervals import FEWEST_BLOCKS, batch_size
from fmbench.core.quantiles import Floats
from fmbench.core.scores import prompts_of, scored_in
from fmbench.core.statistics import slice_rates

Batches = tuple[Floats, Floats]
"""Of each cell, a row (sum, count) a batch."""
Series = tuple[Floats, NDArray[np.int64]]
"""Values in the order of time, and the block that each is from."""


def in_batches(first: Series, second: Series) -> Batches | None:
    """Both in batches so long that neighbours no longer resemble each other; in whole blocks where both have enough of them."""
    if not len(first[0]) or not len(second[0]):
        return None
    if min(len(np.unique(blocks)) for _, blocks in (first, second)) >= FEWEST_BLOCKS:
        return _by_block(first), _by_block(second)
    size = max(batch_size(values) for values, _ in (first, second))
    return _by_size(first[0], size), _by_size(second[0], size)


def requests_of(cell: MeasuredCell, values: Floats) -> Series:
    """A value of each measured request of a cell as a series; NaN left out."""
    known = ~np.isnan(values)
    at = cell.rows.at[cell.rows.measured][known]
    return values[known], _block_of(cell, at)


def answers_of(cell: MeasuredCell, column: str) -> Series:
    """A column of a cell's measured answers."""
    rows = cell.rows[cell.rows.measured]
    return requests_of(cell, np.where(rows.ok, rows.number(column), np.nan))


def failures_of(cell: MeasuredCell) -> Series:
    """Which of a cell's measured requests that ended failed."""
    rows = cell.rows[cell.rows.measured]
    return requests_of(cell, np.where(rows.ok | rows.failed, rows.failed.astype(np.float64), np.nan))


def beyond_pooled(first: Series, second: Series, share: float) -> tuple[Series, Series]:
    """Of each value, whether it lies beyond the quantile of both together."""
    pooled = np.concatenate([first[0], second[0]])
    limit = float(np.quantile(pooled, share)) if len(pooled) else 0.0
    values = [(values > limit).astype(np.float64) for values, _ in (first, second)]
    return (values[0], first[1]), (values[1], second[1])


def rates_of(cell: MeasuredCell, place: int) -> Series:
    """A rate (by its place in ``figures.rates.RATES``) over slices of a cell's windows."""
    sides = [slice_rates(cell.rows, window, 32) for window in cell.windows]
    rates = [sums[:, place] / seconds for seconds, sums in sides]
    blocks = [np.full(len(values), number) for number, values in enumerate(rates)]
    return (np.concatenate(rates), np.concatenate(blocks)) if rates else (np.empty(0), np.empty(0, dtype=np.int64))


def prompts_scored(cell: MeasuredCell) -> Floats:
    """Of scored answers: (sum of scores, count), a row a prompt. Asked twice, a model often gives the same answer."""
    scored = scored_in(cell.rows[cell.rows.measured])
    if scored is None:
        return np.empty((0, 2))
    _, places = np.unique(prompts_of(scored), return_inverse=True)
    return np.stack([np.bincount(places, weights=scored.number("quality")), np.bincount(places)], axis=1).astype(np.float64)


def _block_of(cell: MeasuredCell, at: Floats) -> NDArray[np.int64]:
    starts = np.sort([start for start, _ in cell.windows])
    return np.asarray(np.searchsorted(starts[1:], at, side="right"), dtype=np.int64)


def _by_block(series: Series) -> Floats:
    values, blocks = series
    return np.stack([np.bincount(blocks, weights=values), np.bincount(blocks)], axis=1).astype(np.float64)


def _by_size(values: Floats, size: int) -> Floats:
    starts = np.arange(0, len(values) - size + 1, size)
    counts = np.diff(np.append(starts, len(values)))
    return np.stack([np.add.reduceat(values, starts), counts], axis=1) if len(starts) else np.empty((0, 2))

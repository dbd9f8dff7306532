"""Intervals of cells whose windows ended when they had shown enough (``load.until: decided``, a search): they hold whenever one
looks, as what was seen and when it ended belong together.

- shares, and percentiles as the values at which a share is not ruled out: the confidence sequences of ``core.sequential``, on
  blocks of time, and never less than the interval of a fixed window, which knows of users and prompts;
- means, cost and rates: the interval of a fixed window, so much wider as the sequence of a mean reaches further.

Where a sequence knows no upper end of a tail (a short window may have missed the slow spells), it is the fixed interval's at a
tenth of its chance of error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from fmbench.core.cells import MeasuredCell
from fmbench.core.figures.answered import ANSWERED_SHARE
from fmbench.core.figures.cost import COST
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.figures.figure import Judgement
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.intervals import Interval, quantile_dependence, quantile_interval
from fmbench.core.objectives import Objective, good
from fmbench.core.quantiles import Floats
from fmbench.core.samples import TAIL
from fmbench.core.sequential import (
    TAIL_OF_SEQUENCE,
    block_length,
    errors_reached,
    independent_blocks,
    share_evidence,
    share_sequence,
)
from fmbench.core.table import Flags, Rows

RARER = 10
"""What takes the place of an upper end that no sequence knows is missed so many times less often than a fixed interval's."""
WIDENED = (f"{COST.key}_ci95", f"{TRANSACTIONS.key}_ci95", "output_tokens_per_s_ci95")


def block_s_of(load: Mapping[str, Any], windows: Sequence[tuple[float, float]]) -> float | None:
    """How long the blocks are by which windows were looked at; None where none ended before its cap by what it showed."""
    looked = load.get("until") == "decided" or load.get("search")
    shortest = load.get("duration_s")
    if not looked or not shortest or not windows:
        return None
    cap = max(float(shortest), float(load.get("max_duration_s") or 10 * shortest))
    early = any(end - start < cap * (1 - 1e-3) for start, end in windows)
    return block_length(float(shortest)) if early else None


def held_whenever_looked(row: dict[str, Any], cell: MeasuredCell, counted: Rows, objectives: list[Objective]) -> dict[str, Any]:
    """The row of a cell with the intervals that hold although its windows ended by what they showed."""
    if cell.block_s is None:
        return row
    factor = errors_reached(max(1, int(cell.duration_s / cell.block_s))) / -float(special.ndtri(TAIL))
    ended, told = counted.ok | counted.failed, counted.ok & (counted.words["answered"].codes >= 0)
    shares = {
        ERROR_RATE.key: (counted.failed, ended),
        ANSWERED_SHARE.key: (counted.text, told),
        "goodput": (good(counted, objectives), ended | True),
    }
    held: dict[str, Any] = {name: _share(row[name], cell, counted[kept], flags[kept]) for name, (flags, kept) in shares.items()}
    held |= {name: _wider(row[name.removesuffix("_ci95")], row[name], factor) for name in WIDENED}
    for latency in LATENCIES:
        held[latency.column] = _latency(row[latency.column], cell, counted.answered, latency.column, factor)
    return row | held


def as_printed(judgements: list[Judgement], objectives: list[Objective], row: Mapping[str, Any]) -> list[Judgement]:
    """Judgements with the intervals, and the bounds, that the row has."""
    figures = {name: one.figure for one in objectives for name in (one.name, one.figure.key)}
    found = []
    for item in judgements:
        ends = figures[item.objective].interval(row)[1] if item.objective in figures else None
        if ends is not None:
            bounds = (None if item.lower is None else ends[0], None if item.upper is None else ends[1])
            item = replace(item, ci95=[*ends], lower=bounds[0], upper=bounds[1])
        found.append(item)
    return found


def _share(found: dict[str, Any], cell: MeasuredCell, rows: Rows, flags: Flags) -> dict[str, Any]:
    if not len(rows):
        return found
    return found | {"ci95": _hull(share_sequence(*_blocks(cell, _places(cell, rows), flags)), found["ci95"])}


def _hull(held: Interval, fixed: list[float] | None) -> list[float]:
    """The smallest interval that both lie in."""
    ends = [*held] if fixed is None else [min(held[0], fixed[0]), max(held[1], fixed[1])]
    return [float(end) for end in ends]


def _wider(value: float | None, ends: list[float] | None, factor: float) -> list[float] | None:
    if value is None or ends is None:
        return ends
    return [max(0.0, value - factor * (value - ends[0])), value + factor * (ends[1] - value)]


def _latency(found: dict[str, Any], cell: MeasuredCell, answers: Rows, column: str, factor: float) -> dict[str, Any]:
    values = answers.number(column)
    known = ~np.isnan(values)
    values, places, common = values[known], _places(cell, answers)[known], answers.common[known]
    ends = {"mean": _wider(found["mean"], found["ci95"]["mean"], factor)}
    for name in found["ci95"]:
        if name != "mean":
            share = float(name[1:]) / 100
            held = None if found[name] is None else _percentile(cell, values, places, share, common)
            ends[name] = None if held is None else _hull(held, found["ci95"][name])
    return found | {"ci95": ends}


def _percentile(cell: MeasuredCell, values: Floats, places: Any, share: float, common: Any) -> Interval:
    """The values of which it is not ruled out, by either bet, that a share of 1 - ``share`` lies beyond."""
    ascending, enough = np.sort(values), -math.log(TAIL_OF_SEQUENCE)

    def ruled_out(place: int, too_low: bool) -> bool:
        evidence = share_evidence(*_blocks(cell, places, values > ascending[place]), 1 - share)
        return (evidence.not_met if too_low else evidence.met) >= enough

    middle = min(len(values) - 1, int(share * len(values)))
    low = _first(lambda place: not ruled_out(place, True), 0, middle)
    if not ruled_out(len(values) - 1, False):
        beyond = quantile_interval(ascending, share, quantile_dependence(values, ascending, share, common), TAIL / RARER)
        return float(ascending[low]), max(float(ascending[-1]), beyond[1] if beyond else 0.0)
    high = _first(lambda place: ruled_out(place, False), middle, len(values) - 1)
    return float(ascending[low]), float(ascending[high])


def _first(wanted: Any, low: int, high: int) -> int:
    """The first place from ``low`` on that is wanted; ``high`` where none before it is."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if wanted(middle) else (middle + 1, high)
    return high


def _places(cell: MeasuredCell, rows: Rows) -> Any:
    """The slice of time, over all windows, in which each request was sent."""
    assert cell.block_s is not None
    starts, sizes = np.array([start for start, _ in sorted(cell.windows)]), _sizes(cell)
    window = np.clip(np.searchsorted(starts, rows.at, side="right") - 1, 0, len(starts) - 1)
    within = ((rows.at - starts[window]) / cell.block_s).astype(np.int64)
    before = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return before[window] + np.clip(within, 0, np.array(sizes)[window] - 1)


def _blocks(cell: MeasuredCell, places: Any, flags: Flags) -> tuple[Floats, Floats]:
    assert cell.block_s is not None
    count = sum(_sizes(cell))
    hits, counted = (
        np.bincount(places, weights=np.asarray(each, dtype=np.float64), minlength=count).astype(np.float64)
        for each in (flags, flags | True)
    )
    return independent_blocks(hits, counted, cell.block_s, cell.block_s)


def _sizes(cell: MeasuredCell) -> list[int]:
    """How many slices each window has; what is left at its end is of the last one."""
    assert cell.block_s is not None
    return [max(1, int((end - start) / cell.block_s)) for start, end in sorted(cell.windows)]

"""What cells are ranked by: cost, latency or throughput; and which cells no other beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fmbench.core.figures.cost import COST
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.latencies import LATENCIES, Latency
from fmbench.core.figures.percentiles import mean, percentile
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.intervals import difference_interval
from fmbench.core.objectives import Objective
from fmbench.core.results import CellResult

Prefer = str

USUAL = (95, 90, 50)
"""Percentiles to compare by, where no objective names one: the highest that all cells have."""


def latency_figure(objectives: Sequence[Objective], rows: Sequence[Mapping[str, Any]]) -> Figure:
    """The latency to compare by: that of the objectives (end to end first), else end to end; p95, or the highest all have."""
    limits = [asked for objective in objectives if (asked := objective.percentile) is not None]
    chosen = _latency([asked.latency for asked in limits], rows)
    percents = [limit.percent for limit in limits if limit.latency == chosen]
    figures = (percentile(chosen, percent) for percent in (*percents, *USUAL))
    stated = (figure for figure in figures if all(figure.interval(row)[0] is not None for row in rows))
    return next(stated, mean(chosen))


def _latency(asked: Sequence[Latency], rows: Sequence[Mapping[str, Any]]) -> Latency:
    first = min(LATENCIES, key=lambda latency: latency.decides)
    wanted = min(asked, key=lambda latency: latency.decides, default=first)
    return wanted if all(row[wanted.column]["n"] for row in rows) else first


def figure_for(prefer: Prefer, objectives: Sequence[Objective], rows: Sequence[Mapping[str, Any]]) -> Figure:
    """What decides between ``rows``; where cost should and no price is known, latency does."""
    if prefer == "throughput":
        return TRANSACTIONS
    if prefer == "cost" and any(COST.measured(row) is not None for row in rows):
        return COST
    return latency_figure(objectives, rows)


def inside_noise(best: CellResult, other: CellResult, figure: Figure) -> bool:
    """Whether the 95 % interval of the difference of two cells holds 0."""
    if other is best:
        return True
    first, second = figure.measured(best.row), figure.measured(other.row)
    if first is None or second is None:
        return first is second
    low, high = difference_interval(*second, *first)
    return low <= 0 <= high


def pareto(judged: list[CellResult], objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    """The cells that no other beats in latency, cost and throughput at once. A figure that is not known beats nothing."""
    if not judged:
        return []
    figures = (latency_figure(objectives, [found.row for found in judged]), COST, TRANSACTIONS)
    scores = [tuple(figure.better(found.row) for figure in figures) for found in judged]
    kept = [found for found, score in zip(judged, scores, strict=True) if not any(_beats(other, score) for other in scores)]
    return [
        {
            "model": found.cell.model,
            "concurrency": found.cell.concurrency,
            **{figure.key: figure.interval(found.row)[0] for figure in figures},
            "meets_objectives": found.meets,
        }
        for found in kept
    ]


def _beats(other: tuple[float, ...], score: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(other, score, strict=True)) and other != score

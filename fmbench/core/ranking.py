"""What cells are ranked by: cost, latency or throughput; and which cells no other beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fmbench.core.apart import apart, by_intervals
from fmbench.core.error_limits import SCREEN
from fmbench.core.figures.answered import ANSWERED_SHARE
from fmbench.core.figures.cost import COST
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.figures.figure import NOT_MET, Figure
from fmbench.core.figures.latencies import LATENCIES, Latency
from fmbench.core.figures.percentiles import mean, percentile
from fmbench.core.figures.rates import TRANSACTIONS
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


def inside_noise(best: CellResult, other: CellResult, figure: Figure, rivals: int = 1) -> bool:
    """Whether two cells differ by less than matters, or no difference is shown: by prompt where they sent the same ones. The
    intervals of all rivals hold together with 95 % (Bonferroni)."""
    if other is best:
        return True
    found = apart(best, other, figure)
    return _unknown(best, other, figure) if found is None else found.is_noise(rivals)


def _unknown(one: CellResult, other: CellResult, figure: Figure) -> bool:
    """Whether neither has a value."""
    return figure.measured(one.row) is None and figure.measured(other.row) is None


def pareto(judged: list[CellResult], objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    """The cells that no other is shown to beat: to be better beyond noise in latency, cost or throughput, and worse in none.

    Only cells that are not shown to fail too much have a place; one without a figure beats nothing by it.
    """
    sound = [found for found in judged if found.row["ok"] and not _ruled_out(found)]
    if not sound:
        return []
    figures = (latency_figure(objectives, [found.row for found in sound]), COST, TRANSACTIONS)
    kept = [found for found in sound if not any(_beats(other, found, figures) for other in sound if other is not found)]
    return [
        {
            "model": found.cell.model,
            "concurrency": found.cell.concurrency,
            "rate_per_min": found.cell.rate_per_min,
            **{figure.key: figure.interval(found.row)[0] for figure in figures},
            "meets_objectives": found.meets,
        }
        for found in kept
    ]


def _ruled_out(found: CellResult) -> bool:
    """Whether it is shown to fail too much, or to give no text for the most part."""
    ends = found.row[ERROR_RATE.key]["ci95"]
    shown = {item.objective for item in found.judgements if item.status == NOT_MET}
    return bool(shown & {ERROR_RATE.key, ANSWERED_SHARE.key}) or bool(ends and ends[0] > SCREEN)


def _beats(other: CellResult, found: CellResult, figures: Sequence[Figure]) -> bool:
    """Better beyond noise in one figure at least, and worse beyond noise, or without a value, in none."""
    better = False
    for figure in figures:
        side = _side(other, found, figure)
        if side < 0:
            return False
        better = better or side > 0
    return better


def _side(other: CellResult, found: CellResult, figure: Figure) -> int:
    """1 where ``other`` is shown to be better, -1 where it is shown to be worse, 0 where neither is."""
    apart_by = by_intervals(found, other, figure)
    if _unknown(found, other, figure) if apart_by is None else apart_by.is_noise():
        return 0
    return 1 if figure.better(other.row) < figure.better(found.row) else -1

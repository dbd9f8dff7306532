"""Figures of a cell as they stand in tables: with unit and interval, or a reason where there is no number."""

from __future__ import annotations

from fmbench.core.figures.figure import Figure
from fmbench.core.units import A_MINUTE
from fmbench.report.numbers import (
    DASH,
    absence,
    figure_value,
    interval,
    known,
    plain,
    share,
)
from fmbench.report.study import Cell


def shown(figure: Figure, cell: Cell) -> str:
    """A figure of a cell with its interval, or why there is none: ``1.21 s (1.08 to 1.33)``, ``(needs 72, has 40)``."""
    value, ends = figure.interval(cell)
    if known(value):
        number = plain(value) if figure.unit is A_MINUTE else figure_value(figure, value)
        return f"{number} {interval(ends, value, figure.unit.symbol)}".rstrip()
    why = absence(figure.absent(cell))
    return f"{DASH} ({why})" if why else DASH


def within(cell: Cell) -> str:
    """The share of all sent that was answered within the objectives, with the interval."""
    found = cell.get("goodput") or {}
    return f"{share(found.get('value'))} {interval(found.get('ci95'), None, '%')}".rstrip()

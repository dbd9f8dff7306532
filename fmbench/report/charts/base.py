"""What a chart is: a name, a function from a study to a picture (or to nothing without data), and the section that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmbench.core.cells import level_of
from fmbench.core.figures.figure import Figure
from fmbench.report.numbers import TO, interval, known, plain, seconds, share
from fmbench.report.picture import Axis, Line, Panel, Values
from fmbench.report.study import Cell, Study
from fmbench.report.wording import level_digits
from fmbench.report.words import at_level


@dataclass(frozen=True)
class Chart:
    """One picture of the report. ``prepare`` reads only the study and gives the same picture for the same study."""

    name: str
    prepare: Callable[[Study], Any]
    section: str
    """The section that shows it (``report/sections``), or ``first`` for the first page."""


def level_axis(study: Study) -> Axis:
    """Users at a time, or requests a minute: logarithmic when the levels are far apart, with a tick at each level."""
    levels = study.levels
    far = len(levels) > 2 and max(levels) / min(levels) > 6
    room = 0.06 * (max(levels) - min(levels) or 1)
    low, high = (min(levels) / 1.15, max(levels) * 1.15) if far else (min(levels) - room, max(levels) + room)
    ticks, labels = tuple(float(level) for level in levels), tuple(level_digits(level) for level in levels)
    label = "Requests a minute" if study.open_loop else "Users at a time"
    label += "" if len(levels) > 1 else " (models side by side)"
    return Axis(label=label, log=far, ticks=ticks, tick_labels=labels, low=low, high=high)


def number(cell: Cell, *path: str) -> float:
    """The number at ``path`` of a cell's dict; NaN where it is missing or null."""
    value: Any = cell
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return float(value) if known(value) else float("nan")


def bounds(cell: Cell, *path: str) -> tuple[float, float]:
    """The interval at ``path``; two NaN where there is none."""
    value: Any = cell
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(known(end) for end in value):
        return float("nan"), float("nan")
    return float(value[0]), float(value[1])


def level_line(study: Study, model: str, bucket: str, path: tuple[str, ...], ci: tuple[str, ...], unit: str) -> Line | None:
    """One model's figure over the levels, with its interval; None when no level has the figure.

    ``unit``: s, % (of a share) or a word.
    """
    cells = study.ladder(model, bucket)
    y = np.array([number(cell, *path) if cell["requests"] else np.nan for cell in cells])
    if not np.isfinite(y).any():
        return None
    low, high = np.array([bounds(cell, *ci) for cell in cells]).T
    scale, some = 100 if unit == "%" else 1, np.isfinite(low).any()
    return Line(
        label=study.short(model),
        look=study.look(model),
        x=np.array([float(level_of(cell)) for cell in cells]) + _aside(study, model),
        y=scale * y,
        low=scale * low if some else None,
        high=scale * high if some else None,
        hover=tuple(_hover(study, *point, unit) for point in zip(cells, y, zip(low, high, strict=True), strict=True)),
    )


def _aside(study: Study, model: str) -> float:
    """How far a model's points are moved where there is but one level, so that they do not hide each other."""
    return 0.1 * ((study.models.index(model) + 0.5) / len(study.models) - 0.5) if len(study.levels) == 1 else 0.0


def _hover(study: Study, cell: Cell, value: float, pair: tuple[float, float], unit: str) -> str:
    span = interval(pair, value, unit if unit in ("s", "%") else "")
    n = f"n = {cell.get('ok', 0):,} answered of {cell.get('requests', 0):,}"
    return f"<b>{study.short(cell['model'])}</b>, {at_level(cell)}<br>{with_unit(value, unit)} {span}<br>{n}"


def value_of(figure: Figure, cell: Cell) -> float:
    """A figure of a cell; NaN where there is none."""
    value, _ = figure.interval(cell)
    return float("nan") if value is None else value


def with_unit(value: float, unit: str) -> str:
    """A value in one of the report's units: s, % (of a share) or a word."""
    if unit == "s":
        return seconds(value)
    return share(value) if unit == "%" else plain(value, unit)


def sample_note(cells: list[Cell]) -> str:
    """``n = 88 to 1,240 a point``, with a dash: the samples behind the points of a panel."""
    counts = [int(cell.get("ok", 0)) for cell in cells if cell.get("ok")]
    if not counts:
        return ""
    low, high = min(counts), max(counts)
    return f"n = {low:,} a point" if low == high else f"n = {low:,}{TO}{high:,} a point"


def level_panels(
    study: Study, path: tuple[str, ...], ci: tuple[str, ...], unit: str, label: str, floor: float | None = 0.0
) -> list[Panel]:
    """A panel a bucket, a line a model over the levels; buckets without a figure are left out. The y axis begins at ``floor``."""
    panels = []
    for bucket in study.buckets:
        lines = [line for model in study.models if (line := level_line(study, model, bucket, path, ci, unit))]
        if lines:
            cells = [cell for cell in study.cells if cell["bucket"] == bucket]
            panels.append(
                Panel(
                    title=bucket,
                    x=level_axis(study),
                    y=Axis(label=label, low=floor),
                    marks=tuple(lines),
                    note=sample_note(cells),
                )
            )
    return panels


def cumulative(values: Values, points: int = 160) -> tuple[Values, Values]:
    """The empirical distribution at ``points`` evenly spaced shares: (values rising, share of the sample at or under each)."""
    sorted_values = np.sort(values[np.isfinite(values)])
    n = len(sorted_values)
    if n == 0:
        return sorted_values, sorted_values
    ranks = np.unique(np.linspace(0, n - 1, min(points, n)).round().astype(int))
    return sorted_values[ranks], (ranks + 1) / n


def fitted(x: Values, y: Values) -> tuple[float, float] | None:
    """Least squares ``y = a + b·x``: (a, b); None under ten points or when x hardly varies."""
    fit = np.isfinite(x) & np.isfinite(y)
    if fit.sum() < 10 or np.ptp(x[fit]) < 1:
        return None
    slope, intercept = np.polyfit(x[fit], y[fit], 1)
    return float(intercept), float(slope)


def is_told(x: Values, y: Values, line: tuple[float, float]) -> bool:
    """Whether a fitted line's slope is more than chance: beyond two of its standard errors."""
    fit = np.isfinite(x) & np.isfinite(y)
    rest = y[fit] - line[0] - line[1] * x[fit]
    spread = float(np.square(x[fit] - x[fit].mean()).sum())
    error = np.sqrt(float(np.square(rest).sum()) / (fit.sum() - 2) / spread)
    return bool(abs(line[1]) > 2 * error)

"""Latency against users: end to end, and to the first token."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from fmbench.core.figures.latencies import LATENCIES, Latency
from fmbench.core.figures.percentiles import Percentile, percentile
from fmbench.core.ranking import USUAL
from fmbench.report.charts.base import Chart, level_panels, value_of
from fmbench.report.numbers import as_limit, listed, seconds
from fmbench.report.picture import Line, Panel, Picture, Rule
from fmbench.report.study import Study
from fmbench.report.words import at_level, level_number


def percentile_shown(study: Study, latency: Latency) -> Percentile | None:
    """The percentile with an objective, if any cell carries it; else the highest that at least half of the cells carry."""
    limited = [asked for objective in study.limits if (asked := objective.percentile) is not None]
    carried = [figure for figure in limited if figure.latency == latency and _carried(study, figure)]
    usual = [percentile(latency, percent) for percent in USUAL]
    known = [figure for figure in usual if (have := _carried(study, figure)) and 2 * have >= len(study.cells)]
    return next(iter([*carried, *known]), None)


def _carried(study: Study, figure: Percentile) -> int:
    return sum(bool(np.isfinite(value_of(figure, cell))) for cell in study.cells)


def prepare(study: Study, latency: Latency) -> Picture | None:
    """A panel a bucket, a line a model, its 95 % interval as a band, the objective as a dashed line."""
    figure = percentile_shown(study, latency)
    if figure is None:
        return None
    column, name = latency.column, figure.name
    panels = level_panels(study, (column, name), (column, "ci95", name), "s", f"{latency.title}, {name} (s)")
    limit = study.limit(figure)
    return Picture(
        title=f"{latency.title} ({name}) against {study.load_words}",
        sentence=_sentence(study, figure, limit),
        panels=tuple(_with_limit(panel, limit, name) for panel in panels),
        caption="Bands and bars: 95 % confidence intervals. Answered requests of the measured windows.",
    )


def _with_limit(panel: Panel, limit: float | None, name: str) -> Panel:
    if limit is None:
        return panel
    lines = [mark for mark in panel.marks if isinstance(mark, Line)]
    highest = max(float(np.nanmax(line.y if line.high is None else np.fmax(line.y, line.high))) for line in lines)
    rule = Rule(axis="y", value=limit, label=f"objective {name} ≤ {as_limit(limit, 's')}")
    return replace(panel, y=replace(panel.y, high=max(1.05 * highest, 1.14 * limit)), marks=(*panel.marks, rule))


def _sentence(study: Study, figure: Percentile, limit: float | None) -> str:
    bucket = study.buckets[0]
    parts = [part for model in study.named if (part := _growth(study, model, bucket, figure, limit))]
    return f"In {bucket}, {listed(parts)}." if parts else "Each line is a model, each panel a bucket of prompt lengths."


def _growth(study: Study, model: str, bucket: str, figure: Percentile, limit: float | None) -> str:
    cells = [cell for cell in study.ladder(model, bucket) if np.isfinite(value_of(figure, cell))]
    if not cells:
        return ""
    first, last = cells[0], cells[-1]
    text = f"{study.short(model)} takes {seconds(value_of(figure, first))} at {at_level(first)}"
    if last is not first:
        text += f" and {seconds(value_of(figure, last))} at {level_number(last)}"
    over = [cell for cell in cells if limit is not None and value_of(figure, cell) > limit]
    return text + (f" (over the objective from {level_number(over[0])})" if over else "")


CHARTS = tuple(
    Chart(f"{latency.key}-users", partial(prepare, latency=latency), section="users")
    for latency in LATENCIES
    if latency.from_sending and latency.drawn
)

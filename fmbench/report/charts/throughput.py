"""Transactions a minute against users, and what share of the requests failed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.report.charts.base import Chart, level_axis, level_line, level_panels, value_of
from fmbench.report.numbers import as_limit, listed, plain
from fmbench.report.picture import Axis, Panel, Picture, Rule
from fmbench.report.study import Cell, Study
from fmbench.report.words import at_level


def prepare(study: Study) -> Picture | None:
    """A panel a bucket of transactions a minute, and where anything failed one of the failed share. None without an answer."""
    path, ci = (TRANSACTIONS.key,), (f"{TRANSACTIONS.key}_ci95",)
    panels = level_panels(study, path, ci, "a minute", "Answered transactions a minute")
    if not panels or not any(cell["ok"] for cell in study.cells):
        return None
    return Picture(
        title=f"Transactions a minute against {study.load_words}",
        sentence=_sentence(study),
        panels=tuple(_interleaved(study, panels) if any(cell["failed"] for cell in study.cells) else panels),
        caption="Only whole answers count as transactions. A line that goes flat has found the model's limit, "
        "or your quota's. Bands and bars: 95 % intervals.",
    )


def _interleaved(study: Study, panels: list[Panel]) -> list[Panel]:
    both = []
    for panel in panels:
        both += [panel, _failed(study, panel.title)]
    return both


def _failed(study: Study, bucket: str) -> Panel:
    path, ci = (ERROR_RATE.key, "value"), (ERROR_RATE.key, "ci95")
    lines = [replace(line, band=False) for model in study.models if (line := level_line(study, model, bucket, path, ci, "%"))]
    top = max((float(np.nanmax(line.y if line.high is None else line.high)) for line in lines), default=0.0)
    most = study.limit(ERROR_RATE)
    limit = [] if most is None else [Rule(axis="y", value=100 * most, label=f"objective ≤ {as_limit(100 * most, '%')}")]
    return Panel(
        title=f"{bucket}: failed or throttled",
        x=level_axis(study),
        y=Axis(label="Share of requests that failed (%)", low=0.0, high=max(1.0, 1.1 * top, 110 * (most or 0))),
        marks=(*lines, *limit),
    )


def _sentence(study: Study) -> str:
    bucket = study.buckets[0]
    parts = []
    for model in study.named:
        cells = [cell for cell in study.ladder(model, bucket) if np.isfinite(_rate(cell))]
        if cells:
            best = max(cells, key=_rate)
            parts.append(f"{plain(_rate(best))} a minute from {study.short(model)} (at {at_level(best)})")
    return (
        f"The most answered in {bucket}: {listed(parts)}."
        if parts
        else "Each line is a model, each panel a bucket of prompt lengths."
    )


def _rate(cell: Cell) -> float:
    return value_of(TRANSACTIONS, cell)


CHARTS = (Chart("throughput-users", prepare, section="throughput"),)

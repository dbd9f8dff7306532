"""Goodput against users: of all that was sent, the share that was answered within every latency objective."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fmbench.report.charts.base import Chart, level_panels, number
from fmbench.report.numbers import listed, share
from fmbench.report.picture import Axis, Line, Panel, Picture
from fmbench.report.study import Study
from fmbench.report.words import at_level, goodput_words


def prepare(study: Study) -> Picture | None:
    """A panel a bucket, a line a model; failures and slow answers both count against a model. None without an answer."""
    panels = level_panels(study, ("goodput", "value"), ("goodput", "ci95"), "%", "Answered within the objectives (%)")
    if not panels or not any(cell["ok"] for cell in study.cells):
        return None
    return Picture(
        title=f"Goodput against {study.load_words}",
        sentence=_sentence(study),
        panels=tuple(_fitted(panel) for panel in panels),
        caption=f"{goodput_words(study)} Bands: 95 % intervals.",
    )


def _fitted(panel: Panel) -> Panel:
    lines = [mark for mark in panel.marks if isinstance(mark, Line)]
    lowest = min(float(np.nanmin(line.y if line.low is None else np.fmin(line.y, line.low))) for line in lines)
    floor = 0.0 if lowest < 70 else max(0.0, lowest - 0.3 * (100 - lowest) - 1)
    return replace(panel, y=Axis(label=panel.y.label, low=floor, high=100 + 0.03 * (100 - floor)))


def _sentence(study: Study) -> str:
    bucket, parts = study.buckets[0], []
    for model in study.named:
        cells = [cell for cell in study.ladder(model, bucket) if np.isfinite(number(cell, "goodput", "value"))]
        if cells:
            good = share(number(cells[-1], "goodput", "value"))
            parts.append(f"{good} from {study.short(model)} (at {at_level(cells[-1])})")
    return f"Of all sent in {bucket}, answered within the objectives: {listed(parts)}." if parts else "Each line is a model."


CHARTS = (Chart("goodput-users", prepare, section="throughput"),)

"""How latencies are spread: cumulative shares on a logarithmic axis, because a mean or a box hides the tail."""

from __future__ import annotations

import numpy as np

from fmbench.core.figures.latencies import LATENCIES, Latency
from fmbench.report.charts.base import Chart, cumulative
from fmbench.report.numbers import TO, as_limit, listed, seconds
from fmbench.report.picture import Axis, Line, Panel, Picture, Rule
from fmbench.report.study import Study
from fmbench.report.words import level_words

DRAWN = tuple(latency for latency in LATENCIES if latency.from_sending and latency.drawn)


def prepare(study: Study) -> Picture | None:
    """Two panels a bucket (first token, end to end), a curve a model, at the level that is recommended (or highest)."""
    level = study.level_shown
    panels = [panel for bucket in study.buckets for latency in DRAWN if (panel := _panel(study, bucket, latency, level))]
    if not panels:
        return None
    return Picture(
        title=f"Distribution of latencies at {level_words(study, level)}",
        sentence=_sentence(study, level),
        panels=tuple(panels),
        caption="Read up from a latency to the share of answers that came within it. Answered requests of the measured windows.",
    )


def _panel(study: Study, bucket: str, latency: Latency, level: float | None) -> Panel | None:
    lines, counts = [], []
    for model in study.models:
        values = study.values(latency.column, model, bucket, level)
        x, y = cumulative(values[values > 0])
        if len(x) > 1:
            counts.append(int(np.isfinite(values).sum()))
            lines.append(Line(label=study.short(model), look=study.look(model), x=x, y=100 * y, markers=False))
    if not lines:
        return None
    rules = [
        Rule(axis="x", value=objective.limit, label=f"{asked.name} objective {as_limit(objective.limit, 's')}")
        for objective in study.limits
        if (asked := objective.percentile) is not None and asked.latency == latency
    ]
    note = f"n = {min(counts):,}{TO}{max(counts):,}" if len(set(counts)) > 1 else f"n = {counts[0]:,}"
    return Panel(
        title=f"{bucket}: {latency.title[0].lower()}{latency.title[1:]}",
        x=Axis(label=f"{latency.title} (s, log)", log=True),
        y=Axis(label="Share of answers within (%)", low=0.0, high=101.0),
        marks=(*lines, *rules),
        note=note,
    )


def _sentence(study: Study, level: float | None) -> str:
    bucket, parts = study.buckets[0], []
    for model in study.named:
        values = study.values("e2e_s", model, bucket, level)
        values = values[np.isfinite(values)]
        if len(values) >= 20:
            middle, slow = np.quantile(values, [0.5, 0.9])
            parts.append(f"{seconds(middle)} and {seconds(slow)} for {study.short(model)}")
    if not parts:
        return "A steep curve is a steady model; a long upper end is a tail that some users meet."
    return f"Half and nine in ten of the answers in {bucket} came within {listed(parts)}."


CHARTS = (Chart("distributions", prepare, section="distributions"),)

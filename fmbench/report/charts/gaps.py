"""Token gaps: the time between two pieces of an answer, as a reader feels a stream."""

from __future__ import annotations

import numpy as np

from fmbench.report.charts.base import Chart, cumulative
from fmbench.report.numbers import listed, seconds
from fmbench.report.picture import Axis, Line, Panel, Picture
from fmbench.report.study import Study


def prepare(study: Study) -> Picture | None:
    """A curve a model of the share of gaps within a time, over a sample of its requests, on a logarithmic axis."""
    lines, notes, parts = [], [], []
    for model in study.models:
        gaps = study.gaps.get(model, np.empty(0))
        gaps = np.maximum(gaps[np.isfinite(gaps)], 1e-4)
        x, y = cumulative(1000 * gaps, 240)
        if len(x) > 1:
            lines.append(Line(label=study.short(model), look=study.look(model), x=x, y=100 * y, markers=False))
            notes.append(f"{len(gaps):,}")
            half, most = np.quantile(gaps, [0.5, 0.99])
            if model in study.named:
                parts.append(f"{seconds(half)} and {seconds(most)} for {study.short(model)}")
    if not lines:
        return None
    return Picture(
        title="Gaps between pieces of an answer",
        sentence=f"Half and 99 % of the pauses inside a stream are shorter than {listed(parts)}.",
        panels=(
            Panel(
                title="Gaps between events with content",
                x=Axis(label="Gap (ms, log)", log=True),
                y=Axis(label="Share of gaps within (%)", low=0.0, high=101.0),
                marks=tuple(lines),
                note=f"gaps: {', '.join(notes)}",
            ),
        ),
        columns=1,
        caption="From a sample of whole requests. An event may carry several tokens; gaps under 0.1 ms are drawn at 0.1 ms.",
    )


CHARTS = (Chart("token-gaps", prepare, section="distributions"),)

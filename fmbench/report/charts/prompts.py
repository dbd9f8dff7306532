"""Latency against prompt tokens, with the fitted line."""

from __future__ import annotations

import numpy as np

from fmbench.core.figures.latencies import LATENCIES, Latency
from fmbench.report.charts.base import Chart, fitted, is_told
from fmbench.report.numbers import listed, seconds
from fmbench.report.picture import Axis, Dots, Line, Panel, Picture, Values, thinned
from fmbench.report.study import Study
from fmbench.report.words import level_words

DRAWN = tuple(latency for latency in LATENCIES if latency.from_sending and latency.drawn)
MOST = 700
"""Points drawn a model and panel; the line is fitted to all."""


def prepare(study: Study) -> Picture | None:
    """A panel for each metric: a cloud and a line a model, all buckets together, at one level."""
    level = study.level_shown
    panels = [panel for latency in DRAWN if (panel := _panel(study, latency, level))]
    if not panels:
        return None
    return Picture(
        title=f"Latency against prompt tokens at {level_words(study, level)}",
        sentence=_sentence(study, level),
        panels=tuple(panels),
        caption=f"Prompt tokens as the service counted them. "
        f"Least-squares lines over all requests; at most {MOST} of a model are drawn.",
    )


def _panel(study: Study, latency: Latency, level: float | None) -> Panel | None:
    clouds: list[Dots] = []
    lines: list[Line] = []
    for model in study.models:
        tokens, values = _sample(study, latency.column, model, level)
        if len(tokens) < 2:
            continue
        shown = thinned(np.arange(len(tokens)), MOST)
        name, look = study.short(model), study.look(model)
        clouds.append(Dots(label="", look=look, x=tokens[shown], y=values[shown], size=2.6, alpha=0.35))
        line = fitted(tokens, values)
        ends = np.array([tokens.min(), tokens.max()])
        y = line[0] + line[1] * ends if line else np.full(2, np.nan)
        lines.append(Line(label=name, look=look, x=ends, y=y, width=2.2))
    if not clouds:
        return None
    top = max(float(np.quantile(cloud.y, 0.995)) for cloud in clouds)
    right = max(float(np.max(cloud.x)) for cloud in clouds)
    return Panel(
        title=latency.title,
        x=Axis(label="Prompt tokens", low=0.0, high=1.04 * right),
        y=Axis(label=f"{latency.title} (s)", low=0.0, high=1.15 * top),
        marks=(*clouds, *lines),
    )


def _sample(study: Study, metric: str, model: str, level: float | None) -> tuple[Values, Values]:
    tokens = study.values("input_tokens", model, None, level)
    values = study.values(metric, model, None, level)
    both = np.isfinite(tokens) & np.isfinite(values)
    return tokens[both], values[both]


def _sentence(study: Study, level: float | None) -> str:
    parts, unclear = [], []
    for model in study.named:
        sample = _sample(study, "ttft_s", model, level)
        line = fitted(*sample)
        if line and is_told(*sample, line):
            parts.append(f"{seconds(1000 * line[1])} for {study.short(model)}")
        elif line:
            unclear.append(study.short(model))
    said = [f"A thousand prompt tokens more add to the time to first token: {listed(parts)}."] if parts else []
    said += (
        [f"What a thousand prompt tokens add for {listed(unclear)} is too little to tell by these answers."] if unclear else []
    )
    return " ".join(said) or "Each point is an answered request."


CHARTS = (Chart("prompt-tokens", prepare, section="distributions"),)

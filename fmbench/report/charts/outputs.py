"""Output lengths side by side, and the latency that belongs to a length: a model that says less is not faster."""

from __future__ import annotations

import numpy as np

from fmbench.report.charts.base import Chart, cumulative, fitted
from fmbench.report.numbers import listed
from fmbench.report.picture import Axis, Dots, Line, Mark, Panel, Picture, thinned
from fmbench.report.study import Study
from fmbench.report.wording import digits
from fmbench.report.words import level_words

MOST = 500
TOKENS = Axis(label="Output tokens", low=0.0)


def prepare(study: Study) -> Picture | None:
    """Two panels for the bucket of interest at one level: how long answers are, and end to end against their length."""
    if not study.buckets:
        return None
    bucket, level = study.buckets[0], study.level_shown
    panels = [panel for panel in (_lengths(study, bucket, level), _by_length(study, bucket, level)) if panel]
    if not panels:
        return None
    return Picture(
        title=f"Output lengths in {bucket} at {level_words(study, level)}",
        sentence=_sentence(study, bucket, level),
        panels=tuple(panels),
        caption="Output tokens as the service counted them. Compare models at one length, along the lines: "
        "least squares, end to end = a + b · tokens.",
    )


def _lengths(study: Study, bucket: str, level: float | None) -> Panel | None:
    lines = []
    for model in study.models:
        x, y = cumulative(study.values("output_tokens", model, bucket, level))
        if len(x):
            lines.append(Line(label=study.short(model), look=study.look(model), x=x, y=100 * y, markers=False, steps=True))
    if not lines:
        return None
    share = Axis(label="Share of answers up to (%)", low=0.0, high=101.0)
    return Panel(title="How long answers are", x=TOKENS, y=share, marks=tuple(lines))


def _by_length(study: Study, bucket: str, level: float | None) -> Panel | None:
    clouds: list[Mark] = []
    lines: list[Mark] = []
    for model in study.models:
        tokens, e2e = study.values("output_tokens", model, bucket, level), study.values("e2e_s", model, bucket, level)
        both = np.isfinite(tokens) & np.isfinite(e2e)
        tokens, e2e = tokens[both], e2e[both]
        if len(tokens) < 2:
            continue
        shown, look = thinned(np.arange(len(tokens)), MOST), study.look(model)
        clouds.append(Dots(label="", look=look, x=tokens[shown], y=e2e[shown], size=2.6, alpha=0.4))
        if line := fitted(tokens, e2e):
            ends = np.array([tokens.min(), tokens.max()])
            lines.append(Line(label=study.short(model), look=look, x=ends, y=line[0] + line[1] * ends, width=2.2))
    if not clouds:
        return None
    return Panel(title="End to end against length", x=TOKENS, y=Axis(label="End to end (s)", low=0.0), marks=(*clouds, *lines))


def _sentence(study: Study, bucket: str, level: float | None) -> str:
    means = []
    for model in study.named:
        tokens = study.values("output_tokens", model, bucket, level)
        if np.isfinite(tokens).any():
            means.append((study.short(model), float(np.nanmean(tokens))))
    said = listed([f"{digits(mean)} tokens from {name}" for name, mean in means])
    return f"Mean answer: {said}." if means else "No output tokens were seen."


CHARTS = (Chart("output-lengths", prepare, section="lengths"),)

"""Latency against users: end to end, and to the first token."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fmbench.report.charts.base import Chart, level_panels, number
from fmbench.report.numbers import as_limit, listed, seconds
from fmbench.report.picture import Line, Panel, Picture, Rule
from fmbench.report.study import Study

QUANTILES = ("p95", "p90", "p50")
WORDS = {"ttft_s": "time to first token", "e2e_s": "end-to-end latency"}


def quantile_shown(study: Study, metric: str) -> str | None:
    """The quantile with an objective, if any cell carries it; else the highest that at least half of the cells carry."""
    asked = [name.split("_")[1] for name in study.objectives if name.startswith(metric[:-2] + "_p")]
    have = {name: sum(np.isfinite(number(cell, metric, name)) for cell in study.cells) for name in (*asked, *QUANTILES)}
    for name in asked:
        if have[name]:
            return name
    return next((name for name in QUANTILES if have[name] and 2 * have[name] >= len(study.cells)), None)


def prepare(study: Study, metric: str) -> Picture | None:
    """A panel a bucket, a line a model, its 95 % interval as a band, the objective as a dashed line."""
    quantile = quantile_shown(study, metric)
    if quantile is None:
        return None
    label = f"{_sentence_case(WORDS[metric])}, {quantile} (s)"
    panels = level_panels(study, (metric, quantile), (metric, "ci95", quantile), "s", label)
    limit = study.objectives.get(f"{metric[:-2]}_{quantile}_s")
    return Picture(
        title=f"{_sentence_case(WORDS[metric])} ({quantile}) against users",
        sentence=_sentence(study, metric, quantile, limit),
        panels=tuple(_with_limit(panel, limit, quantile) for panel in panels),
        caption="Bands and bars: 95 % confidence intervals. Answered requests of the measured windows.",
    )


def _sentence_case(words: str) -> str:
    return words[0].upper() + words[1:]


def _with_limit(panel: Panel, limit: float | None, quantile: str) -> Panel:
    if limit is None:
        return panel
    lines = [mark for mark in panel.marks if isinstance(mark, Line)]
    highest = max(float(np.nanmax(line.y if line.high is None else np.fmax(line.y, line.high))) for line in lines)
    rule = Rule(axis="y", value=limit, label=f"objective {quantile} ≤ {as_limit(limit, 's')}")
    return replace(panel, y=replace(panel.y, high=max(1.05 * highest, 1.14 * limit)), marks=(*panel.marks, rule))


def _sentence(study: Study, metric: str, quantile: str, limit: float | None) -> str:
    bucket = study.buckets[0]
    parts = [part for model in study.named if (part := _growth(study, model, bucket, metric, quantile, limit))]
    return f"In {bucket}, {listed(parts)}." if parts else "Each line is a model, each panel a bucket of prompt lengths."


def _growth(study: Study, model: str, bucket: str, metric: str, quantile: str, limit: float | None) -> str:
    cells = [cell for cell in study.ladder(model, bucket) if np.isfinite(number(cell, metric, quantile))]
    if not cells:
        return ""
    first, last = cells[0], cells[-1]
    text = f"{study.short(model)} takes {seconds(number(first, metric, quantile))} at {_users(first['concurrency'])}"
    if last is not first:
        text += f" and {seconds(number(last, metric, quantile))} at {last['concurrency']}"
    over = [cell for cell in cells if limit is not None and number(cell, metric, quantile) > limit]
    return text + (f" (over the objective from {over[0]['concurrency']})" if over else "")


def _users(level: int) -> str:
    return "1 user" if level == 1 else f"{level} users"


TTFT = Chart("ttft-users", lambda study: prepare(study, "ttft_s"))
E2E = Chart("e2e-users", lambda study: prepare(study, "e2e_s"))

"""The first page's table: a row a model at the level that stands for it."""

from __future__ import annotations

from typing import Any

from fmbench.core.figures.cost import COST
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.percentiles import percentile
from fmbench.core.figures.quality import QUALITY
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.report.blocks import Table, table, text
from fmbench.report.numbers import (
    DASH,
    count,
)
from fmbench.report.study import Study
from fmbench.report.values import shown, within
from fmbench.report.words import bucket_words, status_words


def decision(study: Study) -> Table | None:
    """The first page's table: a row a model at the level that stands for it; None when no model was measured."""
    verdict = study.verdict
    rows = [] if verdict is None else [_decision_row(study, row, verdict) for row in verdict["models"]]
    if not rows:
        return None
    titles = ["", "Verdict", "Users", *(figure.heading for figure in (*deciding(study), TRANSACTIONS))]
    titles += ["Of all sent, within objectives", *(figure.heading for figure in _after_goodput(study))]
    bucket = bucket_words(study.bucket_of_interest or "")
    caption = (
        f"{bucket[0].upper()}{bucket[1:]}. In brackets: 95 % intervals. "
        "Each model at the most users at which it meets every objective, else where it is nearest."
        f"{_scored_by(study)}"
    )
    return table(titles, rows, left=(0, 1), caption=caption, stacked=True)


def _decision_row(study: Study, row: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
    chosen = verdict.get("recommendation") or {}
    picked = chosen.get("model") == row["model"]
    place = verdict.get("nearest") or {}
    row = {**row, "closest": place} if place.get("model") == row["model"] else row
    level = chosen["concurrency"] if picked else row["highest_concurrency"] or (row["closest"] or {}).get("concurrency")
    name = text(study.short(row["model"]))
    cell = study.cell(row["model"], verdict["bucket"], level)
    head = [f"**{name}**" if picked else name, f"**{status_words(study, row)}**" if picked else status_words(study, row)]
    before, after = (*deciding(study), TRANSACTIONS), _after_goodput(study)
    if cell is None:
        return [*head, *[DASH] * (2 + len(before) + len(after))]
    *others, cost = (shown(figure, cell) for figure in after)
    figures = [shown(figure, cell) for figure in before]
    return [*head, count(level), *figures, within(cell), *others, f"**{cost}**" if picked else cost]


def deciding(study: Study) -> list[Figure]:
    """The latencies of the first page: those with a limit, and the p95 of time to first token and end to end where none has."""
    limited = [asked for objective in study.limits if (asked := objective.percentile) is not None]
    found: list[Figure] = []
    for latency in LATENCIES:
        own = sorted({asked.percent for asked in limited if asked.latency == latency})
        found += [percentile(latency, percent) for percent in own or ([95.0] if latency.from_sending and latency.drawn else [])]
    return found


def _after_goodput(study: Study) -> list[Figure]:
    return [*([QUALITY] if _scored(study) else []), COST]


def _scored(study: Study) -> bool:
    return any(cell.get("quality") for cell in study.cells)


def _scored_by(study: Study) -> str:
    """What the column of quality is made of; nothing where there is none."""
    found = [cell["quality"] for cell in study.cells if cell.get("quality") and cell["bucket"] == study.bucket_of_interest]
    if not found:
        return ""
    answers, prompts = (sum(quality["n"] for quality in found), max(quality["prompts"] for quality in found))
    metrics = ", ".join(sorted({metric for quality in found for metric in quality["metrics"]}))
    return f" Quality: the mean score, from 0 to 1, of {count(answers)} answers to {count(prompts)} prompts, by {metrics}."

"""The first page's table: a row a model at the level that stands for it."""

from __future__ import annotations

from typing import Any

from fmbench.core.cells import level_of, level_shown
from fmbench.core.contrast import SMALLEST
from fmbench.core.figures.cost import COST
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.percentiles import Percentile, percentile
from fmbench.core.figures.quality import QUALITY
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.open_loop import LATE_S
from fmbench.report.blocks import Table, table, text
from fmbench.report.numbers import (
    DASH,
    count,
    interval,
    known,
    seconds,
)
from fmbench.report.study import Cell, Study
from fmbench.report.values import shown, within
from fmbench.report.wording import level_digits
from fmbench.report.words import bucket_words, status_words

LATE = (
    " Requests began late: latencies from the planned moment count the wait, those from sending do not. "
    "Objectives are judged from the planned moment."
)
_BY_PREFERENCE = {"latency": "the level of the lowest latency", "throughput": "the level of the highest throughput"}
RETRIED = (
    " With retries: from when a request was first wanted to the end of its last attempt, as objectives are judged; "
    "the other latencies are of attempts."
)


def decision(study: Study) -> Table | None:
    """The first page's table: a row a model at the level that stands for it; None when no model was measured."""
    verdict, late = study.verdict, delayed(study)
    rows_of = [] if verdict is None else verdict["models"]
    rows = [] if verdict is None else [_decision_row(study, row, verdict, late) for row in rows_of]
    if not rows:
        return None
    titles = ["", "Verdict", study.level_heading, *(figure.heading for figure in deciding(study))]
    longer = "with retries" if study.retries else "from the planned moment"
    titles += [*(f"{figure.heading} {longer}" for figure in late), TRANSACTIONS.heading]
    titles += ["Of all sent, within objectives", *(figure.heading for figure in _after_goodput(study))]
    bucket = bucket_words(study.bucket_of_interest or "")
    caption = (
        f"{bucket[0].upper()}{bucket[1:]}. In brackets: 95 % intervals{_estimand(study)}. "
        f"Each model at {_which_level(study)}."
        f"{_lower_ones(rows_of)}{_why_longer(study) if late else ''}{_scored_by(study)}"
    )
    return table(titles, rows, left=(0, 1), caption=caption, stacked=True)


def _decision_row(study: Study, row: dict[str, Any], verdict: dict[str, Any], late: list[Percentile]) -> list[str]:
    chosen = verdict.get("recommendation") or {}
    picked = chosen.get("model") == row["model"]
    place = verdict.get("nearest") or {}
    name = text(study.short(row["model"]))
    row = {**row, "closest": place} if place.get("model") == row["model"] else row
    cell = shown_cell(study, row, verdict)
    head = [f"**{name}**" if picked else name, f"**{status_words(study, row)}**" if picked else status_words(study, row)]
    before, after = deciding(study), _after_goodput(study)
    if cell is None:
        return [*head, *[DASH] * (3 + len(before) + len(late) + len(after))]
    *others, cost = (shown(figure, cell) for figure in after)
    figures = [shown(figure, cell) for figure in before]
    figures += [*(_longer(study, figure, cell) for figure in late), shown(TRANSACTIONS, cell)]
    return [*head, level_digits(level_of(cell)), *figures, within(cell), *others, f"**{cost}**" if picked else cost]


def shown_cell(study: Study, row: dict[str, Any], verdict: dict[str, Any]) -> Cell | None:
    """The cell that stands for a model: the one that it is compared by, else the nearest."""
    place = verdict.get("nearest") or {}
    row = {**row, "closest": place} if place.get("model") == row["model"] else row
    return study.cell(row["model"], verdict["bucket"], level_shown(row))


def _which_level(study: Study) -> str:
    """Which of a model's levels stands for it, by what is preferred."""
    lead = _BY_PREFERENCE.get(study.summary.get("prefer", "cost"), f"the most {study.load_words}")
    if not study.limits:
        return f"{lead} at which its failures do not rule it out, else where it is nearest; no objective is set"
    return f"{lead} at which it meets every objective, else where it is nearest"


def _lower_ones(rows: list[dict[str, Any]]) -> str:
    """Why a model is shown where it does not meet although it does with more users."""
    if not any(row["status"] != "met" and True in (row.get("levels") or {}).values() for row in rows):
        return ""
    return " Of a model that meets every objective only above a level that does not, or is undecided, that lower level is shown."


def _why_longer(study: Study) -> str:
    return RETRIED if study.retries else LATE


def delayed(study: Study) -> list[Percentile]:
    """Of ``deciding``, those that are clearly longer than from sending as objectives see them: from an open loop's planned
    moments, or with retries."""
    cells = [cell for cell in study.cells if cell["bucket"] == study.bucket_of_interest]
    return [figure for figure in deciding(study) if any(_differs(study, figure, cell) for cell in cells)]


def _differs(study: Study, figure: Percentile, cell: Cell) -> bool:
    sent, waited = figure.interval(cell)[0], _waited(study, figure, cell).get(figure.name)
    return known(sent) and known(waited) and waited - sent > max(LATE_S, SMALLEST * sent)


def _waited(study: Study, figure: Percentile, cell: Cell) -> dict[str, Any]:
    return study.as_judged(cell).get(figure.latency.column) or {}


def _longer(study: Study, figure: Percentile, cell: Cell) -> str:
    found = _waited(study, figure, cell)
    value = found.get(figure.name)
    if not known(value):
        return DASH
    return f"{seconds(value)} {interval((found.get('ci95') or {}).get(figure.name), value)}".rstrip()


def _estimand(study: Study) -> str:
    """What the intervals are of, where prompts were asked again: then it makes a difference."""
    return ", for prompts like these" if any(cell.get("these_prompts") for cell in study.cells) else ""


def deciding(study: Study) -> list[Percentile]:
    """The latencies of the first page: those with a limit, and the p95 of time to first token and end to end where none has."""
    limited = [asked for objective in study.limits if (asked := objective.percentile) is not None]
    found: list[Percentile] = []
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

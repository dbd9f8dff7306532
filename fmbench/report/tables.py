"""The report's tables: numbers with unit, interval or n beside them, and a reason where there is no number."""

from __future__ import annotations

from typing import Any

import numpy as np

from fmbench.core.figures.cost import COST
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.latencies import BY_KEY, LATENCIES
from fmbench.core.figures.percentiles import percentile
from fmbench.core.figures.quality import QUALITY
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.objectives import percents_of
from fmbench.core.units import A_MINUTE
from fmbench.report.blocks import Table, code, table, text
from fmbench.report.numbers import DASH, absence, count, figure_value, interval, known, plain, plural, seconds, share, usd
from fmbench.report.study import Cell, Study
from fmbench.report.words import bucket_words, judged_value, nearest, objective_words, status_words, told, unsteady

_E2E_P95 = percentile(BY_KEY["e2e"], 95)
JUDGED = {"met": "met", "not_met": "**not met**", "undecided": "undecided"}


def shown(figure: Figure, cell: Cell) -> str:
    """A figure of a cell with its interval, or why there is none: ``1.21 s (1.08 to 1.33)``, ``(needs 72, has 40)``."""
    value, ends = figure.interval(cell)
    if known(value):
        number = plain(value) if figure.unit is A_MINUTE else figure_value(figure, value)
        return f"{number} {interval(ends, value, figure.unit.symbol)}".rstrip()
    why = absence(figure.absent(cell))
    return f"{DASH} ({why})" if why else DASH


def within(cell: Cell) -> str:
    """The share of all sent that was answered within the objectives, with the interval."""
    found = cell.get("goodput") or {}
    return f"{share(found.get('value'))} {interval(found.get('ci95'), None, '%')}".rstrip()


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
    return table(titles, rows, left=(0, 1), caption=caption)


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
        found += [percentile(latency, percent) for percent in own or ([95.0] if latency.from_sending else [])]
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


def buckets(study: Study) -> Table | None:
    """Every bucket: the best model, at how many users, and why."""
    verdicts = {found["bucket"]: found for found in study.summary.get("verdicts") or []}
    rows = []
    for bucket in study.buckets:
        found = verdicts.get(bucket)
        if found is not None:
            chosen = found.get("recommendation")
            pick = f"{text(study.short(chosen['model']))} at {plural(chosen['concurrency'], 'user')}" if chosen else DASH
            status = found["status"].replace("_", " ")
            why = nearest(study, found) if status == "none feasible" else told(study, found["reason"])
            rows.append([text(bucket), pick if chosen else f"{DASH} ({status})", why])
    caption = "The bucket of interest first, then by length." if len(rows) > 1 else ""
    return table(["Bucket", "Best", "Why"], rows, left=(0, 1, 2), caption=caption) if rows else None


def most_users(study: Study) -> Table | None:
    """The most users within all objectives: a row a model, a column a bucket."""
    verdicts = {found["bucket"]: found for found in study.summary.get("verdicts") or []}
    names = [bucket for bucket in study.buckets if bucket in verdicts]
    if not names or not study.objectives:
        return None
    rows = []
    for model in study.models:
        found = [next((row for row in verdicts[name]["models"] if row["model"] == model), None) for name in names]
        rows.append([text(study.short(model)), *map(_highest, found)])
    caption = "The highest level at which every objective is met, and what it answers a minute."
    return table(["Most users within all objectives", *map(text, names)], rows, caption=caption)


def _highest(row: dict[str, Any] | None) -> str:
    if row is None or row["status"] == "not_measured":
        return f"{DASH} (not measured)"
    if row.get("highest_concurrency") is None:
        return f"{DASH} ({'undecided' if row['status'] == 'undecided' else 'none'})"
    return f"{count(row['highest_concurrency'])} ({figure_value(TRANSACTIONS, row.get(TRANSACTIONS.key))})"


def cells(study: Study, bucket: str) -> Table:
    """Every cell of a bucket, with its sample and its latencies."""
    latencies = _every_latency(study)
    titles = ["", "Users", "Achieved", "Sent", "Answered", *(figure.heading for figure in (*latencies, TRANSACTIONS))]
    titles += ["Output tokens a second", ERROR_RATE.heading, "Within objectives", COST.heading]
    rows = []
    for cell in (cell for cell in study.cells if cell["bucket"] == bucket):
        status = "" if cell.get("status", "complete") == "complete" else f" ({cell['status']})"
        head = [text(study.short(cell["model"])) + status, count(cell["concurrency"]), plain(cell.get("achieved_concurrency"))]
        counts = [count(cell["requests"]), count(cell["ok"])]
        figures = [shown(figure, cell) for figure in (*latencies, TRANSACTIONS)]
        rest = [plain(cell.get("output_tokens_per_s")), shown(ERROR_RATE, cell), within(cell), shown(COST, cell)]
        rows.append([*head, *counts, *figures, *rest])
    caption = "Measured windows only. In brackets: 95 % intervals, or how many answers the figure takes."
    return table(titles, rows, caption=caption)


def _every_latency(study: Study) -> list[Figure]:
    """The usual percentiles of every latency, and those with a limit."""
    asked = percents_of(study.limits)
    return [
        percentile(latency, percent)
        for latency in LATENCIES
        for percent in sorted({*latency.shown, *asked.get(latency.column, ())})
    ]


def objectives(study: Study, bucket: str) -> Table | None:
    """Each cell of a bucket against each objective: met, not met or undecided, with the value seen."""
    names = list(study.objectives)
    rows = []
    for cell in (cell for cell in study.cells if cell["bucket"] == bucket):
        judged = {item["objective"]: item for item in cell.get("objectives") or []}
        marks = [_judged(study, judged[name]) if name in judged else f"{DASH} (not measured)" for name in names]
        rows.append([text(study.short(cell["model"])), count(cell["concurrency"]), *marks])
    titles = ["", "Users", *(objective_words(name, study.objectives[name]) for name in names)]
    return table(titles, rows) if names and rows else None


def _judged(study: Study, item: dict[str, Any]) -> str:
    value = judged_value(item)
    if item["status"] == "undecided":
        needed = item.get("requests_needed")
        why = told(study, item["why"]) if item.get("why") else "too near to tell"
        more = f"{count(needed)} requests more" if needed else why
        return f"undecided: {value}, {more}" if value != DASH else f"undecided: {more}"
    return f"{JUDGED[item['status']]}: {value}"


def lengths(study: Study, bucket: str) -> Table | None:
    """Output lengths side by side at one level, and the latency that each model would have at one common length."""
    level = study.level_shown
    there = [cell for model in study.models if (cell := study.cell(model, bucket, level)) is not None]
    found = [cell for cell in there if known(cell.get("output_tokens_mean"))]
    if not found:
        return None
    common = float(np.median([cell["output_tokens_mean"] for cell in found]))
    rows = [_length_row(study, cell, common) for cell in found]
    titles = ["", "Mean output tokens", "Ended at max_tokens", "End to end mean", f"End to end at {plain(common)} tokens", "Line"]
    caption = f"{text(bucket)} at {level} users. The column at one length is read off each model's own least-squares line."
    return table(titles, rows, caption=caption)


def _length_row(study: Study, cell: Cell, common: float) -> list[str]:
    line = cell.get("e2e_by_output_tokens") or {}
    stops = cell.get("stop_reasons") or {}
    cut = share(stops.get("max_tokens", 0) / cell["ok"]) if cell.get("ok") else DASH
    at, words = f"{DASH} (lengths do not vary)", DASH
    if line:
        at = seconds(line["fixed_s"] + line["per_token_s"] * common)
        words = f"{seconds(line['fixed_s'])} + {seconds(line['per_token_s'])} a token (n = {count(line['n'])})"
    name, mean = text(study.short(cell["model"])), seconds(cell["e2e_s"].get("mean"))
    return [name, plain(cell["output_tokens_mean"]), cut, mean, at, words]


def steadiness(study: Study) -> Table | None:
    """The cells whose latency was still changing inside the measured window, the longest first; None when there is none."""
    found = [cell for cell in study.cells if unsteady(cell)]
    rows = []
    for cell in sorted(found, key=lambda cell: -cell["steady"]["unsteady_s"]):
        steady = cell["steady"]
        name = [text(study.short(cell["model"])), text(cell["bucket"]), count(cell["concurrency"])]
        part = f"{seconds(steady['unsteady_s'])} of {seconds(cell['duration_s'])}"
        rows.append([*name, part, seconds(steady["e2e_before_s"]), seconds(steady["e2e_after_s"]), shown(_E2E_P95, cell)])
    titles = ["", "Bucket", "Users", "Measured before it was steady", "End to end mean before", "after", "p95 as reported"]
    return table(titles, rows, left=(0, 1)) if rows else None


def failures(study: Study) -> Table | None:
    """Requests that were not answered, of all phases: a row a kind, a column a model. None when there is none."""
    bad = study.requests[study.unanswered]
    if not len(bad):
        return None
    kinds, whose = study.kinds[study.unanswered], bad.words["model"]
    models = [model for model in study.models if whose.is_(model).any()]
    lines = []
    for kind, total in kinds.counts().items():
        lines.append([code(kind), *(count(int((kinds.is_(kind) & whose.is_(model)).sum())) for model in models), count(total)])
    sums = [count(int(whose.is_(model).sum())) for model in models]
    total = len(study.requests)
    lines.append(["**all**", *sums, f"**{count(len(bad))}** of {count(total)} ({share(len(bad) / total)})"])
    titles = ["Kind", *(text(study.short(model)) for model in models), "All"]
    return table(titles, lines, caption="All phases, warm-up and drain included, and attempts that were made again.")


def bill(study: Study) -> Table | None:
    """What was spent: a row a model, measured windows apart from warm-up and drain."""
    if not len(study.requests):
        return None
    usd_of, measured = study.requests.number("usd"), study.requests.measured
    spend = study.summary.get("spend") or {}
    lines = []
    for model in study.models:
        mine = study.of_model(model)
        whole = (spend.get("by_model") or {}).get(model)
        if whole:
            lines.append([text(study.short(model)), *_bill_row(whole, usd_of[mine & measured], usd_of[mine & ~measured])])
    if spend.get("requests"):
        lines.append(["**all**", *_bill_row(spend, usd_of[measured], usd_of[~measured])])
    titles = ["", "Requests", "Input tokens", "Output tokens", "In measured windows", "Warm-up and drain", "Together"]
    return table(titles, lines, caption="Tokens as the service counted them.") if lines else None


def _bill_row(bill_of: dict[str, Any], measured: Any, rest: Any) -> list[str]:
    unpriced = bill_of.get("unpriced") or 0
    whole = usd(bill_of.get("known_usd"))
    some = f" and {count(unpriced)} answers of unknown price" if whole != DASH else " (price unknown)"
    note = some if unpriced else ""
    parts = [usd(float(np.nansum(values))) if np.isfinite(values).any() else DASH for values in (measured, rest)]
    return [count(bill_of["requests"]), count(bill_of["input_tokens"]), count(bill_of["output_tokens"]), *parts, whole + note]


def cell_costs(study: Study) -> Table | None:
    """Each cell's own cost in its measured window."""
    rows = []
    for cell in study.cells:
        name = [text(study.short(cell["model"])), text(cell["bucket"]), count(cell["concurrency"])]
        rows.append([*name, usd(cell.get("usd")), shown(COST, cell), usd(cell.get("usd_per_10k_good"))])
    titles = ["", "Bucket", "Users", "Measured window", "$ / 10,000 transactions", "$ / 10,000 within objectives"]
    return table(titles, rows, left=(0, 1)) if rows else None


def instrument(study: Study) -> Table | None:
    """How the load processes fared, cell by cell. None where nothing was recorded of them."""
    rows = []
    for cell in study.cells:
        found = cell.get("instrument") or {}
        if cell["requests"] and known(found.get("lag_s")):
            name = [text(study.short(cell["model"])), text(cell["bucket"]), count(cell["concurrency"])]
            figures = [seconds(found["lag_s"]), share(found["cpu"]), seconds(found["start_delay_p99_s"])]
            rows.append([*name, found["verdict"], *figures, count(found["new_connections"])])
    titles = ["", "Bucket", "Users", "Instrument", "Lag", "CPU, of a core", "Intended to sent p99", "New connections"]
    return table(titles, rows, left=(0, 1, 3), caption="The load processes in each measured window.") if rows else None


def models(study: Study) -> Table | None:
    """Short names beside whole labels and ids; None when every name is whole and is the id."""
    asked = {model.get("label") or model["id"]: model for model in study.config.get("models") or []}
    rows = []
    for label in study.models:
        model = asked.get(label) or {}
        whole = "same" if study.short(label) == label else text(label)
        rows.append([text(study.short(label)), whole, code(model.get("id") or label), text(model.get("api") or DASH)])
    return table(["Name here", "Label", "Id", "API"], rows, left=(0, 1, 2, 3)) if rows else None


def facts(pairs: list[tuple[str, str]]) -> Table | None:
    """Two columns of facts; those without a value are left out."""
    rows = [[name, value] for name, value in pairs if value]
    return table(["", ""], rows, left=(0, 1)) if rows else None

"""Every bucket: the best model, at how many users, and why; the most users within all objectives."""

from __future__ import annotations

from typing import Any

from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.report.blocks import Block, Fold, Table, table, text
from fmbench.report.numbers import DASH, figure_value, plural
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.wording import level_digits
from fmbench.report.words import at_level, judged_value, level_number, nearest, objective_words, told

JUDGED = {"met": "met", "not_met": "**not met**", "undecided": "undecided"}


def blocks(material: Material) -> list[Block | None]:
    """Every bucket: the best model, at how many users, and why; the most users within all objectives."""

    study = material.study
    judged = [_objectives(study, bucket) for bucket in study.buckets]
    pairs = zip(study.buckets, judged, strict=True)
    folds = [Fold(f"Each cell of {bucket} against each objective", (found,)) for bucket, found in pairs if found]
    return [_best(study), _most_users(study), *folds, *material.pictures_of("buckets")]


def _best(study: Study) -> Table | None:
    """Every bucket: the best model, at how many users, and why."""
    verdicts = {found["bucket"]: found for found in study.summary.get("verdicts") or []}
    rows = []
    for bucket in study.buckets:
        found = verdicts.get(bucket)
        if found is not None:
            chosen = found.get("recommendation")
            pick = f"{text(study.short(chosen['model']))} at {at_level(chosen)}" if chosen else DASH
            status = found["status"].replace("_", " ")
            why = nearest(study, found) if status == "none feasible" else told(study, found["reason"])
            rows.append([text(bucket), pick if chosen else f"{DASH} ({status})", why])
    caption = "The bucket of interest first, then by length." if len(rows) > 1 else ""
    return table(["Bucket", "Best", "Why"], rows, left=(0, 1, 2), caption=caption, stacked=True) if rows else None


def _most_users(study: Study) -> Table | None:
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
    return table([f"Most {study.load_words} within all objectives", *map(text, names)], rows, caption=caption)


def _highest(row: dict[str, Any] | None) -> str:
    if row is None or row["status"] == "not_measured":
        return f"{DASH} (not measured)"
    if row.get("highest_concurrency") is None:
        return f"{DASH} ({'undecided' if row['status'] == 'undecided' else 'none'})"
    highest = level_digits(row.get("highest_rate_per_min") or row["highest_concurrency"])
    return f"{highest} ({figure_value(TRANSACTIONS, row.get(TRANSACTIONS.key))})"


def _objectives(study: Study, bucket: str) -> Table | None:
    """Each cell of a bucket against each objective: met, not met or undecided, with the value seen."""
    names = list(study.objectives)
    rows = []
    for cell in (cell for cell in study.cells if cell["bucket"] == bucket):
        judged = {item["objective"]: item for item in cell.get("objectives") or []}
        marks = [_judged(study, judged[name]) if name in judged else f"{DASH} (not measured)" for name in names]
        rows.append([text(study.short(cell["model"])), level_number(cell), *marks])
    titles = ["", study.level_heading, *(objective_words(name, study.objectives[name]) for name in names)]
    return table(titles, rows) if names and rows else None


def _judged(study: Study, item: dict[str, Any]) -> str:
    value = judged_value(item)
    if item["status"] == "undecided":
        needed = item.get("requests_needed")
        why = told(study, item["why"]) if item.get("why") else "too near to tell"
        more = f"{plural(needed, 'request')} more" if needed else why
        return f"undecided: {value}, {more}" if value != DASH else f"undecided: {more}"
    return f"{JUDGED[item['status']]}: {value}"


SECTION = Section("Every bucket", blocks)

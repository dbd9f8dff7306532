"""The limits that a search found, the way to them, and the steps that it took."""

from __future__ import annotations

from typing import Any

from fmbench.report.blocks import Block, Fold, Table, Text, table, text
from fmbench.report.numbers import count
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.wording import level_digits

UNITS = {"users": "users", "rate": "requests a minute"}
MARKS = {True: "met", False: "not met", None: "undecided"}


def blocks(material: Material) -> list[Block | None]:
    """A sentence for each search, the picture of all, and a table of steps for each, to be opened."""
    found = [search for search in material.study.summary.get("search") or [] if search["of"] in UNITS]
    if not found:
        return []
    said: list[Block | None] = [Text(_sentence(material.study, search)) for search in found]
    folds = [Fold(f"Steps of {_name(material.study, search)}", (_steps(search),)) for search in found]
    return [*said, *material.pictures_of("limits"), *folds]


def limit_words(search: dict[str, Any]) -> str:
    """``meets every objective up to between 34 and 38 users (95 %)``: a search's result, after the model's name."""
    unit, (low, high) = UNITS[search["of"]], search["ci95"]
    sure = f" ({100 * search['confidence']:g} %)"
    if not search["finished"]:
        return "has no limit yet: the search was cut"
    if search["limit"] is None:
        return f"does not meet every objective even at the lowest level, {level_digits(search['steps'][0]['level'])} {unit}{sure}"
    if high is None:
        return f"is not shown to fail up to {level_digits(max(step['level'] for step in search['steps']))} {unit}{sure}"
    if not low:
        return f"meets every objective at most below {level_digits(high)} {unit}{sure}; no level was shown to meet them"
    return f"meets every objective up to between {level_digits(low)} and {level_digits(high)} {unit}{sure}"


def _name(study: Study, search: dict[str, Any]) -> str:
    return f"{text(study.short(search['model']))}, {text(search['bucket'])}"


def _sentence(study: Study, search: dict[str, Any]) -> str:
    unit, (low, high) = UNITS[search["of"]], search["ci95"]
    grid = f"a grid as fine would have taken about {count(search['grid_requests'])}"
    sent = f" till each step had shown enough, of {count(search['sent'])} sent" if search.get("sent") else ""
    cost = f"{count(search['requests'])} requests were measured{sent}; {grid}."
    if not search["finished"] or search["limit"] is None:
        what = "the search was cut before its limit was found" if not search["finished"] else _lowest(search)
        return f"**{_name(study, search)}**: {what}. {cost}"
    upper = "no level was shown to fail" if high is None else f"{level_digits(high)} were shown not to meet them"
    lower = "none was shown to meet every objective" if not low else f"{level_digits(low)} were shown to meet every objective"
    return f"**{_name(study, search)}**: the limit is {_between(search, unit)}: {lower}, {upper}. {cost}"


def _lowest(search: dict[str, Any]) -> str:
    lowest = min((step["level"] for step in search["steps"]), default=None)
    at = "" if lowest is None else f", {level_digits(lowest)} {UNITS[search['of']]},"
    return f"not even the lowest level{at} meets every objective"


def _between(search: dict[str, Any], unit: str) -> str:
    """``between **34 and 38 users**, 95 %, most likely 36``."""
    low, high = search["ci95"]
    sure, likely = f"{100 * search['confidence']:g} %", f"most likely {level_digits(search['limit'])}"
    if high is None:
        return f"at least **{level_digits(low or search['limit'])} {unit}**, {sure}"
    if not low:
        return f"below **{level_digits(high)} {unit}**, {sure}, {likely}"
    return f"between **{level_digits(low)} and {level_digits(high)} {unit}**, {sure}, {likely}"


def _steps(search: dict[str, Any]) -> Table:
    rows = [
        [count(number), step["purpose"], level_digits(step["level"]), count(step["requests"]), MARKS[step["met"]]]
        for number, step in enumerate(search["steps"], start=1)
    ]
    return table(["Step", "", f"Level ({UNITS[search['of']]})", "Requests", "By all that the level has shown"], rows)


SECTION = Section("The limits that were searched for", blocks)

"""The limits that a search found, and the steps that it took."""

from __future__ import annotations

from typing import Any

from fmbench.report.blocks import Block, Table, Text, table, text
from fmbench.report.numbers import count
from fmbench.report.section import Material, Section
from fmbench.report.study import Study

UNITS = {"users": "users", "rate": "requests a minute"}
MARKS = {True: "met", False: "not met", None: "undecided"}


def blocks(material: Material) -> list[Block | None]:
    """A sentence and a table of steps for each search."""
    found = material.study.summary.get("search") or []
    return [block for search in found for block in (Text(_sentence(material.study, search)), _steps(search))]


def _sentence(study: Study, search: dict[str, Any]) -> str:
    unit, (low, high) = UNITS[search["of"]], search["ci95"]
    name = f"**{text(study.short(search['model']))}**, {text(search['bucket'])}"
    grid = f"a grid as fine would have taken about {count(search['grid_requests'])}"
    cost = f"{count(search['requests'])} requests were measured; {grid}."
    if not search["finished"]:
        return f"{name}: the search was cut before its limit was found. {cost}"
    if search["limit"] is None:
        return f"{name}: not even the lowest level meets every objective. {cost}"
    upper = "no level was shown to fail" if high is None else f"{_level(high)} {unit} were shown not to meet them"
    lower = "none was shown to meet every objective" if not low else f"{_level(low)} {unit} were shown to meet every objective"
    shown = f"{lower}, {upper} ({search['confidence']:.0%})"
    return f"{name}: the limit is about **{_level(search['limit'])} {unit}**: {shown}. {cost}"


def _steps(search: dict[str, Any]) -> Table | None:
    rows = [
        [count(number), step["purpose"], _level(step["level"]), count(step["requests"]), MARKS[step["met"]]]
        for number, step in enumerate(search["steps"], start=1)
    ]
    return table(["Step", "", f"Level ({UNITS[search['of']]})", "Requests", "By all that the level has shown"], rows)


def _level(level: float) -> str:
    return f"{level:,.6g}"


SECTION = Section("The limits that were searched for", blocks)

"""A search for a limit: the level of each step, whether it met the objectives, and between what the limit lies."""

from __future__ import annotations

from typing import Any

import numpy as np

from fmbench.report.charts.base import Chart
from fmbench.report.numbers import count, listed
from fmbench.report.picture import Axis, Dots, Line, Mark, Panel, Picture, Rule, Shade
from fmbench.report.sections.limits import MARKS, UNITS, limit_words
from fmbench.report.study import Study
from fmbench.report.style import COLOURS, FEASIBLE, Look
from fmbench.report.wording import level_digits

Search = dict[str, Any]
LOOKS = {
    True: Look(COLOURS[2], "o", "solid", ""),
    False: Look(COLOURS[1], "X", "solid", ""),
    None: Look(COLOURS[6], "D", "solid", ""),
}
WAY = Look("#B8C0C8", "o", "solid", "")


def prepare(study: Study) -> Picture | None:
    """A panel a model and bucket. None where nothing was searched for."""
    searches = [search for search in study.summary.get("search") or [] if search["of"] in UNITS and search["steps"]]
    if not searches:
        return None
    return Picture(
        title="The way to the limit",
        sentence=_sentence(study, searches),
        panels=tuple(_panel(study, search) for search in searches),
        caption="Each step measures one level until it has shown enough. Met, not met: by all that the level had shown by then. "
        "Shaded: between the highest level that is shown to meet every objective and the lowest that is shown not to.",
    )


def _sentence(study: Study, searches: list[Search]) -> str:
    said = [f"{study.short(search['model'])} {limit_words(search)}" for search in searches]
    return f"{listed([part[0].upper() + part[1:] for part in said[:1]] + said[1:4])}."


def _panel(study: Study, search: Search) -> Panel:
    steps = search["steps"]
    number, level = np.arange(1.0, len(steps) + 1), np.array([float(step["level"]) for step in steps])
    low, high = float(level.min()), float(level.max())
    far = high / low > 6
    room = 0.08 * (high - low or 1)
    edges = (low / 1.2, high * 1.2) if far else (low - room, high + room)
    ticks = _whole(len(steps))
    way = Line(label="the way of the search", look=WAY, x=number, y=level, markers=False, width=1.2)
    unit = UNITS[search["of"]]
    return Panel(
        title=f"{study.short(search['model'])}, {search['bucket']}",
        x=Axis(label="Step", low=0.5, high=len(steps) + 0.5, ticks=ticks, tick_labels=tuple(count(tick) for tick in ticks)),
        y=Axis(label=f"{unit[0].upper()}{unit[1:]}", log=far, low=edges[0], high=edges[1]),
        marks=(*_between(search, edges), way, *_dots(search, number, level), *_limit(search)),
        note=f"{count(search['requests'])} requests; a grid as fine: about {count(search['grid_requests'])}",
    )


def _whole(steps: int) -> tuple[float, ...]:
    every = max(1, -(-steps // 12))
    return tuple(float(number) for number in range(1, steps + 1, every))


def _between(search: Search, edges: tuple[float, float]) -> list[Mark]:
    """What lies between the ends of the interval, as far as the panel goes."""
    low, high = search["ci95"]
    bottom, top = max(edges[0], low or 0.0), min(edges[1], edges[1] if high is None else high)
    return [Shade(label="where the limit lies", colour=FEASIBLE, bottom=bottom, top=top)] if bottom < top else []


def _limit(search: Search) -> list[Mark]:
    limit = search["limit"]
    return [] if limit is None else [Rule(axis="y", value=limit, label=f"limit {level_digits(limit)}")]


def _dots(search: Search, number: Any, level: Any) -> list[Mark]:
    found: list[Mark] = []
    for met, label in MARKS.items():
        those = np.array([step["met"] is met for step in search["steps"]])
        if those.any():
            hover = tuple(_hover(search, step, label) for step in search["steps"] if step["met"] is met)
            found.append(Dots(label=label, look=LOOKS[met], x=number[those], y=level[those], size=8, hover=hover))
    return found


def _hover(search: Search, step: dict[str, Any], label: str) -> str:
    level = f"{level_digits(step['level'])} {UNITS[search['of']]}"
    return f"{level}, {step['purpose']}<br>{label}<br>{count(step['requests'])} requests"


CHARTS = (Chart("search", prepare, section="limits"),)

"""The report on an open loop and on a search says what was found in both."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from fmbench.report.blocks import Table, Text
from fmbench.report.charts import CHARTS
from fmbench.report.picture import Dots, Rule, Shade
from fmbench.report.plotly_panel import plotly_figure
from fmbench.report.png import png
from fmbench.report.sections import SECTIONS

STEP = {"level": 12.0, "purpose": "holding", "requests": 40, "met": True}
SEARCH = {
    **{"model": "lite", "bucket": "en_1-500", "of": "users", "limit": 12.0, "ci95": [12.0, 13.0], "confidence": 0.95},
    **{"finished": True, "requests": 219, "grid_requests": 742, "steps": [STEP]},
}
LOOP = {
    **{"rate_per_min": 600.0, "dropped": 18, "late": 3, "lateness_p99_s": 0.0054},
    "from_intended": {"e2e_s": {"p95": 2.5}},
}
CELL = {"model": "lite", "bucket": "en_1-500", "requests": 250, "e2e_s": {"p95": 0.5}, "open_loop": LOOP}


def shown(anchor: str, cells: list[dict[str, Any]], search: list[dict[str, Any]]) -> list[Any]:
    study = SimpleNamespace(summary={"search": search}, cells=cells, short=lambda name: name)
    return SECTIONS[anchor].blocks(SimpleNamespace(study=study, pictures_of=lambda section: []))  # type: ignore[arg-type]


def test_a_found_limit_is_said_with_its_interval_and_its_price() -> None:
    words, fold = shown("limits", [], [SEARCH])
    (steps,) = fold.blocks
    assert isinstance(words, Text) and isinstance(steps, Table)
    assert "the limit is between **12 and 13 users**, 95 %, most likely 12" in words.words
    assert "12 were shown to meet every objective, 13 were shown not to meet them" in words.words
    assert "219 requests were measured; a grid as fine would have taken about 742" in words.words
    assert steps.rows == (("1", "holding", "12", "40", "met"),)
    words, _ = shown("limits", [], [SEARCH | {"sent": 260}])
    assert "219 requests were measured till each step had shown enough, of 260 sent; a grid as fine would" in words.words


WAY = [STEP | {"level": level, "met": met} for level, met in ((1.0, None), (16.0, False), (8.0, True), (12.0, True))]


def test_the_picture_of_a_search_has_each_step_and_what_lies_between() -> None:
    (chart,) = (chart for chart in CHARTS if chart.name == "search")
    study = SimpleNamespace(summary={"search": [SEARCH | {"steps": WAY}]}, short=lambda name: name)
    picture = chart.prepare(study)  # type: ignore[arg-type]
    (panel,) = picture.panels
    dots = {mark.label: (mark.x.tolist(), mark.y.tolist()) for mark in panel.marks if isinstance(mark, Dots)}
    assert dots == {"met": ([3.0, 4.0], [8.0, 12.0]), "not met": ([2.0], [16.0]), "undecided": ([1.0], [1.0])}
    (shade,) = (mark for mark in panel.marks if isinstance(mark, Shade))
    (rule,) = (mark for mark in panel.marks if isinstance(mark, Rule))
    assert (shade.bottom, shade.top, rule.value) == (12.0, 13.0, 12.0)
    assert picture.sentence == "Lite meets every objective up to between 12 and 13 users (95 %)."
    assert panel.note == "219 requests; a grid as fine: about 742"
    assert png(picture).startswith(b"\x89PNG") and plotly_figure(panel)
    long = chart.prepare(SimpleNamespace(summary={"search": [SEARCH | {"steps": WAY * 16}]}, short=lambda name: name))  # type: ignore[arg-type]
    assert plotly_figure(long.panels[0]), "hover and zoom, however many steps there are"
    assert chart.prepare(SimpleNamespace(summary={})) is None  # type: ignore[arg-type]


def test_a_search_that_found_nothing_or_was_cut_says_so() -> None:
    assert "not even the lowest level" in shown("limits", [], [SEARCH | {"limit": None}])[0].words
    assert "was cut" in shown("limits", [], [SEARCH | {"finished": False, "limit": None}])[0].words
    assert shown("limits", [], []) == []


def test_an_open_loop_shows_latency_from_the_planned_moment_beside_that_from_sending() -> None:
    words, cells = shown("open-loop", [CELL, CELL | {"open_loop": None}], [])
    assert "Dropped" in words.words
    assert cells.rows[0][:5] == ("lite, en_1-500", "600", "250", "18", "3")
    assert [cell.split("\N{NARROW NO-BREAK SPACE}") for cell in cells.rows[0][5:]] == [
        ["5.40", "ms"],
        ["0.500", "s"],
        ["2.50", "s"],
    ]
    assert shown("open-loop", [CELL | {"open_loop": None}], []) == []


SIDES = {"p50": 1.0, "p95": 1.2, "p99": 1.4, "ci95": {}}
FIRST = {"ok_share": {"value": 0.921, "ci95": [0.9, 0.94]}, "ttft_s": SIDES, "e2e_s": SIDES, "usd": 1.0}
WHOLE = {"ok_share": {"value": 0.997, "ci95": [0.99, 0.999]}, "ttft_s": SIDES, "e2e_s": SIDES | {"p99": 4.5}, "usd": 1.0}
AGAIN = {
    **{"model": "lite", "bucket": "en_1-500", "concurrency": 8, "rate_per_min": None, "mode": "ours", "retried": 70},
    **{"requests": 1000, "attempts": 1110, "added_requests": 0.11, "added_usd": 0.0, "first": FIRST, "whole": WHOLE},
}


def test_what_retries_brought_and_cost_is_a_sentence_and_both_sides_stand_together() -> None:
    study = SimpleNamespace(summary={"retries": [AGAIN]}, short=lambda name: name, level_heading="Users")
    words, said, both = SECTIONS["retries"].blocks(SimpleNamespace(study=study))  # type: ignore[arg-type]
    assert isinstance(words, Text) and isinstance(said, Text) and isinstance(both, Table)
    plain = said.words.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("**", "")
    assert "retries turned 92.1 % answered into 99.7 % and cost 11.0 % more requests and 3.10 s at p99" in plain
    assert [row[3] for row in both.rows] == ["first attempt", "whole", "added"]
    assert SECTIONS["retries"].blocks(SimpleNamespace(study=SimpleNamespace(summary={}))) == []  # type: ignore[arg-type]

"""An open loop is told in requests a minute, never in users; latency from the planned moment stands where it differs."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from fmbench.core import summary
from fmbench.core.table import read
from fmbench.report.blocks import Table
from fmbench.report.charts import CHARTS
from fmbench.report.first_page.answer import answer
from fmbench.report.first_page.decision import decision
from fmbench.report.sections.cells import _cells
from fmbench.report.study import Study
from tests.unit.made import T0, Cellful, row, run_of

SECONDS = 240
MOST = 50
LIMITS = {"e2e_p95_s": 2.0}
TOOK = {60: 0.5, 300: 0.6, 600: 3.0}
"""Seconds that answers take at each rate: 600 a minute fail the limit."""


def cell_of(rate: int, late_s: float = 0.0) -> Cellful:
    """Requests at an even rate, each begun so late; ``max_in_flight`` is the same at every rate."""
    count = rate * SECONDS // 60
    due = [k * 60 / rate for k in range(count)]
    rows = [row(at + late_s, TOOK[rate] * (1 + k % 7 / 100), intended_at=T0 + at) for k, at in enumerate(due)]
    rows = [one | {"rate_per_min": float(rate), "user": None} for one in rows]
    return Cellful(rows, concurrency=MOST, start=0, window=(0.0, float(SECONDS)), line={"rate_per_min": float(rate)})


def study_of(cells: list[Cellful]) -> Study:
    records, manifest = run_of(cells, LIMITS)
    manifest["config"]["models"] = [{"id": "a.id", "label": "a"}]
    found = dict(summary.summarise(records, manifest, pd.DataFrame()))
    return Study(found, manifest, read(records))


@pytest.fixture(scope="module")
def study() -> Study:
    """Measured from the highest rate down: the order of cells is not that of levels."""
    return study_of([cell_of(rate) for rate in (600, 300, 60)])


def test_the_verdict_is_of_the_highest_rate_that_meets(study: Study) -> None:
    chosen, (model,) = study.summary["recommendation"], study.verdict["models"]  # type: ignore[index]
    assert (chosen["rate_per_min"], chosen["concurrency"]) == (300.0, MOST)
    assert model["levels"] == {"60": True, "300": True, "600": False}
    assert (model["highest_rate_per_min"], model["highest_concurrency"]) == (300.0, MOST)


def test_the_answer_names_requests_a_minute_and_what_stops_at_more(study: Study) -> None:
    said = answer(study)
    assert "**Pick a at 300 requests a minute.**" in said
    assert "At 600 requests a minute a does not meet" in said
    assert "user" not in said


def titles_and(table: Table | None) -> dict[str, Any]:
    assert table is not None
    return dict(zip(table.titles, zip(*table.rows, strict=True), strict=True))


def test_tables_have_each_rate_with_its_own_figures(study: Study) -> None:
    first = titles_and(decision(study))
    assert first["Requests/min"] == ("300",) and "Users" not in first
    assert not any("planned" in title for title in first)
    cells = titles_and(_cells(study, "en_1-500"))
    assert cells["Requests/min"] == ("60", "300", "600")
    assert cells["Sent"] == ("240", "1,200", "2,400")


def test_no_picture_speaks_of_users(study: Study) -> None:
    for chart in CHARTS:
        picture = chart.prepare(study)
        for panel in picture.panels if picture is not None else ():
            assert "sers" not in f"{panel.x.label} {panel.title}"
        if picture is not None and chart.name.endswith("-users"):
            assert "requests a minute" in picture.title and "users" not in picture.sentence
            assert all(panel.x.ticks == (60.0, 300.0, 600.0) for panel in picture.panels)


def test_latency_from_the_planned_moment_is_on_the_first_page_where_it_differs() -> None:
    """Every request begins 0.25 s late."""
    study = study_of([cell_of(60, late_s=0.25)])
    table = titles_and(decision(study))
    (planned,) = (value for title, value in table.items() if "End to end p95 from the planned moment" in title)
    (sent,) = table["End to end p95"]
    seconds = [float(text.replace("\N{NARROW NO-BREAK SPACE}", " ").split(" ")[0]) for text in (sent, *planned)]
    assert seconds == pytest.approx([0.53, 0.78], abs=0.011)

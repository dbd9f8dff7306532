"""A run's report: summary.json, summary.csv, report.md, report.html and plots/*.png, a pure function of the run folder."""

from __future__ import annotations

import csv
import io
import json
import logging
from typing import Any

from fmbench.core.neutral import neutral_cell
from fmbench.core.table import read
from fmbench.report.charts import CHARTS, Chart
from fmbench.report.page import page
from fmbench.report.picture import slides
from fmbench.report.png import png
from fmbench.report.render import html, markdown
from fmbench.report.section import Drawn, Material
from fmbench.report.study import COLUMNS, Study
from fmbench.report.summary import worded
from fmbench.report.token_gaps import token_gaps
from fmbench.storage.atomic import write_bytes, write_json, write_text
from fmbench.storage.reader import LocalRun

LOG = logging.getLogger(__name__)


def write_report(run: LocalRun, summary: dict[str, Any]) -> None:
    """Write the report of ``run`` into its folder: the same bytes for the same folder, on any machine of the same versions.

    A chart that fails costs only itself: it is logged, and named on the page. Pictures of an earlier report go.
    """
    folder = run.path
    data = worded(summary)
    write_json(folder / "summary.json", data)
    write_text(folder / "summary.csv", flat(data["cells"]))
    study = study_of(run, summary)
    pictures, missing = draw_all(study)
    for name, (_, picture) in pictures.items():
        write_bytes(folder / "plots" / f"{name}.png", picture)
    for stale in (folder / "plots").glob("*.png"):
        if stale.stem not in pictures:
            stale.unlink()
    config = folder / "config.yml"
    drawn = {name: place for name, (place, _) in pictures.items()}
    whole = page(Material(study, drawn, missing, config.read_text(encoding="utf-8") if config.exists() else None))
    write_text(folder / "report.md", markdown(whole))
    write_text(folder / "report.html", html(whole))


def study_of(run: LocalRun, summary: dict[str, Any]) -> Study:
    """What the charts and pages read of ``run``."""
    attempts = run.manifest.get("cells") or []
    table = read(run.compact_records(COLUMNS))
    return Study(summary, run.manifest, table, token_gaps(run.folder.records, attempts))


def draw_all(study: Study) -> tuple[dict[str, tuple[Drawn, bytes]], dict[str, str]]:
    """Every chart that has data, with its PNG; and what went wrong with those that failed."""
    drawn: dict[str, tuple[Drawn, bytes]] = {}
    missing: dict[str, str] = {}
    for chart in CHARTS:
        try:
            found = draw_one(chart, study)
        except Exception as error:
            LOG.exception("the chart %s could not be drawn", chart.name)
            missing[chart.name] = f"{type(error).__name__}: {error}"
        else:
            drawn |= found
    return drawn, missing


def draw_one(chart: Chart, study: Study) -> dict[str, tuple[Drawn, bytes]]:
    """One chart's picture in parts no taller than a slide, each with its PNG; none when there is no data for it."""
    picture = chart.prepare(study)
    parts = [] if picture is None else slides(picture)
    return {
        chart.name if number == 1 else f"{chart.name}-{number}": (Drawn(part, chart.section, number), png(part))
        for number, part in enumerate(parts, 1)
    }


def flat(cells: list[dict[str, Any]]) -> str:
    """The cells as CSV: nested figures as ``ttft_s.p95``, intervals as ``….low`` and ``….high``, null as nothing."""
    rows = [{neutral_cell(name): _plain(value) for name, value in _flattened(cell).items()} for cell in cells]
    titles = list(dict.fromkeys(title for row in rows for title in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _plain(value: Any) -> Any:
    """Text of others as no spreadsheet takes it for a formula."""
    return neutral_cell(value) if isinstance(value, str) else value


def _flattened(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, inner in value.items():
            found |= _flattened(inner, f"{name}.{key}" if name else str(key))
        return found
    if isinstance(value, list):
        if len(value) == 2 and not any(isinstance(end, dict) for end in value):
            return {f"{name}.low": value[0], f"{name}.high": value[1]}
        return {name: json.dumps(value, ensure_ascii=False)}
    return {name: value}

"""A run's report: summary.json, summary.csv, report.md, report.html and plots/*.png, a pure function of the run folder."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from fmbench.core.neutral import neutral_cell
from fmbench.core.table import Table
from fmbench.report.charts import CHARTS, Chart
from fmbench.report.drawing import Drawing, Gaps, draw
from fmbench.report.page import page
from fmbench.report.picture import Picture, slides
from fmbench.report.render import html, markdown
from fmbench.report.section import Drawn as Placed
from fmbench.report.section import Material
from fmbench.report.study import Study
from fmbench.report.summary import worded
from fmbench.report.token_gaps import token_gaps
from fmbench.storage.atomic import write_bytes, write_json, write_text
from fmbench.storage.reader import LocalRun

LOG = logging.getLogger(__name__)


def write_report(
    run: LocalRun,
    summary: dict[str, Any],
    table: Table | None = None,
    drawing: Drawing | None = None,
    gaps: Future[Gaps] | None = None,
) -> None:
    """Write the report of ``run`` into its folder: the same bytes for the same folder, on any machine of the same versions.

    ``table``: its records, where the caller has them; ``drawing`` and ``gaps``: what draws the pictures, and what reads the token
    gaps, where these have been started.

    A chart that fails costs only itself: it is logged, and named on the page. Pictures of an earlier report go.
    """
    folder = run.path
    data = worded(summary)
    write_json(folder / "summary.json", data)
    write_text(folder / "summary.csv", flat(data["cells"]))
    study = study_of(run, summary, table, None if gaps is None else gaps.result())
    pictures, missing = draw_all(study, drawing)
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


def study_of(run: LocalRun, summary: dict[str, Any], table: Table | None = None, gaps: Gaps | None = None) -> Study:
    """What the charts and pages read of ``run``."""
    return Study(summary, run.manifest, run.table() if table is None else table, gaps_of(run) if gaps is None else gaps)


def gaps_of(run: LocalRun) -> Gaps:
    """The token gaps of ``run``, by model."""
    return token_gaps(run.folder.records, run.manifest.get("cells") or [])


def draw_all(study: Study, drawing: Drawing | None = None) -> tuple[dict[str, tuple[Placed, bytes]], dict[str, str]]:
    """Every chart that has data, in parts no taller than a slide, with their PNGs; and what went wrong with those that failed."""
    missing: dict[str, str] = {}
    parts: list[tuple[Chart, int, Picture]] = []
    made = draw(_prepared(study, parts, missing), drawing)
    missing |= {chart.name: found for (chart, _, _), found in zip(parts, made, strict=True) if isinstance(found, str)}
    drawn = {
        chart.name if number == 1 else f"{chart.name}-{number}": (Placed(part, chart.section, number), found)
        for (chart, number, part), found in zip(parts, made, strict=True)
        if isinstance(found, bytes) and chart.name not in missing
    }
    return drawn, missing


def _prepared(study: Study, parts: list[tuple[Chart, int, Picture]], missing: dict[str, str]) -> Iterator[Picture]:
    """The pictures, each when it is made. ``parts`` gets them with their charts and numbers, ``missing`` what went wrong."""
    for chart in CHARTS:
        try:
            mine = [(chart, number, part) for number, part in enumerate(_parts(chart, study), 1)]
        except Exception as error:
            LOG.exception("the chart %s could not be drawn", chart.name)
            missing[chart.name] = f"{type(error).__name__}: {error}"
            continue
        parts += mine
        yield from (part for _, _, part in mine)


def _parts(chart: Chart, study: Study) -> list[Picture]:
    picture = chart.prepare(study)
    return [] if picture is None else slides(picture)


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

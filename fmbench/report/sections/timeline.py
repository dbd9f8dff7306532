"""The run over time, and whether windows began in the steady state."""

from __future__ import annotations

from fmbench.core.figures.latencies import BY_KEY
from fmbench.core.figures.percentiles import percentile
from fmbench.core.steady import BATCH, FEWEST_BATCHES
from fmbench.report.blocks import Block, Table, Text, table, text
from fmbench.report.numbers import (
    plural,
    seconds,
)
from fmbench.report.section import Material, Section
from fmbench.report.study import Study, unsteady
from fmbench.report.values import shown
from fmbench.report.words import level_number

FEWEST = BATCH * FEWEST_BATCHES
"""Answers that it takes to see whether a cell was steady."""
_E2E_P95 = percentile(BY_KEY["e2e"], 95)


def blocks(material: Material) -> list[Block | None]:
    """The run over time, and whether windows began in the steady state."""

    said = _steadiness(material.study)
    return [*material.pictures_of("timeline"), Text(said) if said else None, _unsteady_cells(material.study)]


def _steadiness(study: Study) -> str:
    """Whether the measured windows and the steady state that the data show agree, and which of the two the figures are of."""
    judged = [cell for cell in study.cells if cell.get("steady") and cell["full_run"]["ok"] >= FEWEST]
    if not judged:
        return ""
    late = [cell for cell in judged if unsteady(cell)]
    if not late:
        found = f"Latency had settled before the measured window began in each of the {plural(len(judged), 'cell')} that can tell"
        return f"{found} (with {FEWEST} answers or more). Every figure is of the measured windows."
    lead = f"In {len(late)} of {plural(len(judged), 'cell')} latency was still changing when the measured window began."
    cure = "The figures are of the whole measured window, in these cells too; a longer load.warmup_s makes the two agree."
    return f"**{lead}** By the data, the steady part begins later. {cure}"


def _unsteady_cells(study: Study) -> Table | None:
    """The cells whose latency was still changing inside the measured window, the longest first; None when there is none."""
    found = [cell for cell in study.cells if unsteady(cell)]
    rows = []
    for cell in sorted(found, key=lambda cell: -cell["steady"]["unsteady_s"]):
        steady = cell["steady"]
        name = [text(study.short(cell["model"])), text(cell["bucket"]), level_number(cell)]
        part = f"{seconds(steady['unsteady_s'])} of {seconds(cell['duration_s'])}"
        rows.append([*name, part, seconds(steady["e2e_before_s"]), seconds(steady["e2e_after_s"]), shown(_E2E_P95, cell)])
    titles = [
        "",
        "Bucket",
        study.level_heading,
        "Measured before it was steady",
        "End to end mean before",
        "after",
        "p95 as reported",
    ]
    return table(titles, rows, left=(0, 1)) if rows else None


SECTION = Section("The run over time", blocks)

"""Every cell of a bucket, with its sample and its figures."""

from __future__ import annotations

from fmbench.core.figures.cost import COST
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.percentiles import percentile
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.objectives import percents_of
from fmbench.report.blocks import Block, Fold, Table, table, text
from fmbench.report.numbers import (
    count,
    plain,
)
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.values import shown, within
from fmbench.report.words import level_number


def blocks(material: Material) -> list[Block | None]:
    """Every cell of a bucket, with its sample and its figures."""

    study = material.study
    return [Fold(f"{bucket}: every cell", (_cells(study, bucket),)) for bucket in study.buckets]


def _cells(study: Study, bucket: str) -> Table:
    """Every cell of a bucket, with its sample and its latencies."""
    latencies = _every_latency(study)
    titles = ["", study.level_heading, "Achieved", "Sent", "Answered", *(figure.heading for figure in (*latencies, TRANSACTIONS))]
    titles += ["Output tokens a second", ERROR_RATE.heading, "Within objectives", COST.heading]
    rows = []
    for cell in (cell for cell in study.cells if cell["bucket"] == bucket):
        status = "" if cell.get("status", "complete") == "complete" else f" ({cell['status']})"
        head = [text(study.short(cell["model"])) + status, level_number(cell), plain(cell.get("achieved_concurrency"))]
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


SECTION = Section("Every cell", blocks)

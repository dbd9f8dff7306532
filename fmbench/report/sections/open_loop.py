"""Open loops: what began late, what could not begin, and latencies from the moment that the plan wanted."""

from __future__ import annotations

from fmbench.report.blocks import Block, Text, table, text
from fmbench.report.numbers import count, plain, seconds
from fmbench.report.section import Material, Section
from fmbench.report.study import Cell, Study

MEANING = (
    "Requests began by a plan, whatever the answers did. A request that begins late has made somebody wait: "
    "latencies from the planned moment count that, those from sending do not. "
    "Dropped requests were due while as many were in flight as may be, and were never sent."
)


def blocks(material: Material) -> list[Block | None]:
    """A row an open loop's cell."""
    cells = [cell for cell in material.study.cells if cell.get("open_loop")]
    if not cells:
        return []
    titles = ["", "Requests/min", "Sent", "Dropped", "Late", "Lateness p99", "End to end p95", "… from the planned moment"]
    return [Text(MEANING), table(titles, [_row(material.study, cell) for cell in cells])]


def _row(study: Study, cell: Cell) -> list[str]:
    loop = cell["open_loop"]
    name = f"{text(study.short(cell['model']))}, {text(cell['bucket'])}"
    counts = [count(cell["requests"]), count(loop["dropped"]), count(loop["late"])]
    planned = loop["from_intended"]["e2e_s"].get("p95")
    times = [loop["lateness_p99_s"], cell["e2e_s"].get("p95"), planned]
    return [name, plain(loop["rate_per_min"]), *counts, *(seconds(value) for value in times)]


SECTION = Section("Requests by plan", blocks)

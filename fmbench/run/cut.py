"""What a crash left without a line: cells in which requests were sent, and that no controller could close.

A resumed run's budget starts from the lines of ``cells.jsonl``, so what such a cell has cost must stand there too.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import pandas as pd

from fmbench.core.failures import Outcome
from fmbench.core.plan import Plan, cell_row
from fmbench.core.prices.price import Price
from fmbench.core.records import Cell
from fmbench.core.spend import counted_usd
from fmbench.storage.reader import LocalRun
from fmbench.storage.runfolder import RunFolder

_COLUMNS = ["cell", "worker", "outcome", "failure", "usd", "prompt_tokens", "max_tokens"]
_COLUMNS += ["intended_at", "sent_at", "ended_at"]


def close_cut_cells(folder: RunFolder) -> None:
    """Append a ``stopped`` line for every cell that has more records than its lines say, with what the budget counts for them."""
    run = LocalRun(folder)
    lines, records = run.cells, run.records(_COLUMNS).sort_values("intended_at")
    plan = Plan.from_json(folder.plan.read_bytes())
    with folder.cells.open("a") as file:
        for cell in plan.cells:
            of_cell = [line for line in lines if line["cell"] == cell.number]
            unclosed = _unclosed(records[records["cell"] == cell.number], of_cell)
            if len(unclosed):
                file.write(json.dumps(_line(cell, len(of_cell) + 1, unclosed, plan.price_of(cell.model))) + "\n")


def _unclosed(rows: pd.DataFrame, lines: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows of each worker beyond those that the cell's lines count. Of a worker that went without a last word a line counts
    all that it was allowed."""
    closed: Counter[str] = Counter()
    for line in lines:
        closed.update({worker: tally["sent"] for worker, tally in line["workers"].items()})
    counted = {worker for line in lines for worker in line.get("unheard", [])}
    beyond = [group.iloc[closed[str(name)] :] for name, group in rows.groupby("worker") if str(name) not in counted]
    return pd.concat(beyond) if beyond else rows


def _line(cell: Cell, attempt: int, rows: pd.DataFrame, price: Price | None) -> dict[str, Any]:
    return {
        "cell": cell.number,
        "attempt": attempt,
        **cell_row(cell),
        "status": "stopped",
        "started_at": float(rows["intended_at"].min()),
        "measure_at": None,
        "drain_at": None,
        "ended_at": float(rows[["intended_at", "ended_at"]].max().max()),
        "reason": "the run was cut inside this cell",
        "budget_requests": len(rows),
        "budget_usd": math.fsum(_counted(row, price) for row in rows.itertuples()),
        "workers": {str(name): _tally(group["outcome"]) for name, group in rows.groupby("worker")},
    }


def _counted(row: Any, price: Price | None) -> float:
    """Of a request without an end it is not known whether it was sent."""
    bound = None if price is None else price.bound(int(row.prompt_tokens), int(row.max_tokens))
    sent = row.outcome == Outcome.ABANDONED or not pd.isna(row.sent_at)
    usd, failure = (None if pd.isna(value) else value for value in (row.usd, row.failure))
    return counted_usd(usd, failure, sent, bound)


def _tally(outcomes: pd.Series) -> dict[str, int]:
    return {"sent": len(outcomes), "ok": int((outcomes == "ok").sum()), "failed": int((outcomes == "failed").sum())}

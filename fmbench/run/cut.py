"""What a crash left without a line: cells in which requests were sent, and that no controller could close.

A resumed run's budget starts from the lines of ``cells.jsonl``, so what such a cell has cost must stand there too.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pandas as pd

from fmbench.core.plan import Plan, cell_row
from fmbench.core.prices.price import Price
from fmbench.core.records import Cell
from fmbench.storage.reader import LocalRun
from fmbench.storage.runfolder import RunFolder

_COLUMNS = ["cell", "worker", "outcome", "usd", "prompt_tokens", "max_tokens", "intended_at", "ended_at"]


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
    """The rows of each worker beyond those that the cell's lines count."""
    closed: Counter[str] = Counter()
    for line in lines:
        closed.update({worker: tally["sent"] for worker, tally in line["workers"].items()})
    beyond = [group.iloc[closed[str(worker)] :] for worker, group in rows.groupby("worker")]
    return pd.concat(beyond) if beyond else rows


def _line(cell: Cell, attempt: int, rows: pd.DataFrame, price: Price | None) -> dict[str, Any]:
    unknown = rows[rows["usd"].isna()]
    sizes = unknown[["prompt_tokens", "max_tokens"]].astype(int).to_numpy()
    bounds = [] if price is None else [price.bound(int(prompt), int(most)) or 0.0 for prompt, most in sizes]
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
        "budget_usd": float(rows["usd"].sum()) + sum(bounds),
        "workers": {str(name): _tally(group["outcome"]) for name, group in rows.groupby("worker")},
    }


def _tally(outcomes: pd.Series) -> dict[str, int]:
    return {"sent": len(outcomes), "ok": int((outcomes == "ok").sum()), "failed": int((outcomes == "failed").sum())}

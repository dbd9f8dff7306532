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
from fmbench.storage.atomic import write_text
from fmbench.storage.reader import LocalRun
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import read_load

_COLUMNS = ["cell", "worker", "outcome", "failure", "usd", "prompt_tokens", "max_tokens"]
_COLUMNS += ["intended_at", "sent_at", "ended_at"]
_OF_A_CELL = ["model", "model_id", "api", "dataset", "bucket", "concurrency", "block", "rate_per_min", "route"]


def close_cut_cells(folder: RunFolder) -> None:
    """Append a ``stopped`` line for every cell that has more records than its lines say, with what the budget counts for them.

    A line that counts all that a worker was allowed, as it went without a last word, gives way to what the worker's journal
    says that it sent, where that survived whole.
    """
    run = LocalRun(folder)
    records = run.records([*_COLUMNS, *_OF_A_CELL]).sort_values("intended_at")
    lines = [_read_after_all(line, _survivors(folder)) for line in run.cells]
    if lines != run.cells:
        write_text(folder.cells, "".join(json.dumps(line) + "\n" for line in lines))
    plan = Plan.from_json(folder.plan.read_bytes())
    with folder.cells.open("a") as file:
        for cell in [*plan.cells, *_made_on_the_way(records, plan)]:
            of_cell = [line for line in lines if line["cell"] == cell.number]
            unclosed = _unclosed(records[records["cell"] == cell.number], of_cell)
            if len(unclosed):
                file.write(json.dumps(_line(cell, len(of_cell) + 1, unclosed, plan.price_of(cell.model))) + "\n")


def _made_on_the_way(records: pd.DataFrame, plan: Plan) -> list[Cell]:
    """The cells of a search, which the plan does not have."""
    planned = {cell.number for cell in plan.cells}
    rows = records[~records["cell"].isin(planned)].drop_duplicates("cell")
    return [_cell(row) for row in rows.to_dict("records")]


def _cell(row: dict[Any, Any]) -> Cell:
    known: dict[str, Any] = {key: None if pd.isna(row[key]) else row[key] for key in _OF_A_CELL}
    return Cell(number=int(row["cell"]), **known)


def _survivors(folder: RunFolder) -> set[str]:
    """Workers whose journals were written in this folder, each intent before its request went out: all that they sent is known.
    Of those that stored theirs by themselves the last part may be lost."""
    stored = {str(worker["id"]) for worker in read_load(folder).get("workers", []) if worker.get("parts")}
    parts = {path.stem.removeprefix("part-").rpartition("-")[0] for path in folder.records.glob("part-*.parquet")}
    return parts - stored


def _read_after_all(line: dict[str, Any], survivors: set[str]) -> dict[str, Any]:
    """A line without what it counts for workers that went without a last word: their rows are beyond its counts then."""
    unheard = set(line.get("unheard", []))
    if not unheard or "allowed_usd" not in line or not unheard <= survivors:
        return line
    rest = {key: value for key, value in line.items() if key not in ("unheard", "allowed_requests", "allowed_usd")}
    kept = {name: tally for name, tally in line["workers"].items() if name not in unheard}
    return rest | {
        "budget_requests": line["budget_requests"] - line["allowed_requests"],
        "budget_usd": max(0.0, line["budget_usd"] - line["allowed_usd"]),
        "workers": kept,
        "read_after_all": sorted(unheard),
    }


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

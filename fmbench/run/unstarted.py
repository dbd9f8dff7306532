"""What an open loop's plan had for a load process that was lost: nobody could start these requests, and each is a dropped row.

The master notes who was lost, from when to when the plan went and which user slots it carried; when the run is finished, what
the lost process wrote of that time is held against the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from fmbench.core.failures import Outcome
from fmbench.core.levels import plan_of_arrivals
from fmbench.core.plan import Plan, max_tokens_of, prompt_at
from fmbench.core.records import Cell, record_of
from fmbench.prompts import payload
from fmbench.storage.journal import JournalWriter, read_journal
from fmbench.storage.reader import read_lines
from fmbench.storage.runfolder import RunFolder

if TYPE_CHECKING:
    from fmbench.config.schema import Config

Line = Mapping[str, Any]
CLOCKS_S = 0.1
"""Clocks of load processes are set against the master's at least so well."""


def write_unstarted(folder: RunFolder) -> None:
    """Write a journal of the dropped rows of each void attempt in which a process was lost; none that is there, or sealed."""
    lines = [line for line in read_lines(folder.cells) if line.get("unstarted")]
    if not lines:
        return
    from fmbench.config.load import stored_config

    config = stored_config(folder.config.read_text(), str(folder.config))
    plan = Plan.from_json(folder.plan.read_bytes())
    for line in lines:
        for worker, slots in line["unstarted"]["slots"].items():
            journal = folder.journal / f"{worker}-unstarted-{line['cell']}-{line['attempt']}.jsonl"
            if not journal.exists() and not any(folder.records.glob(f"part-{journal.stem}-*.parquet")):
                _write(folder, config, plan, line, worker, set(slots))


def _write(folder: RunFolder, config: Config, plan: Plan, line: Line, worker: str, slots: set[int]) -> None:
    cell = _cell(plan, line)
    seen, seqs = _seen(folder, line, worker)
    missing = _due(config, cell, line["unstarted"], slots)[seen:]
    if not missing:
        return
    model = next(model for model in config.models if model.name == cell.model)
    prompts = payload.load(folder.path / next(one.file for one in plan.prompts if one.bucket == cell.bucket))
    writer = JournalWriter(folder.journal / f"{worker}-unstarted-{line['cell']}-{line['attempt']}.jsonl")
    for number, due_s in missing:
        slot = number % cell.concurrency
        seqs[slot] = seqs.get(slot, -1) + 1
        at, measure_at = line["unstarted"]["opened_at"] + due_s, line["measure_at"]
        record = record_of(
            cell,
            prompts[prompt_at(config.seed, cell.bucket, 0, number, 1, len(prompts))],
            run_id=plan.run_id,
            worker=worker,
            user=slot,
            seq=seqs[slot],
            phase="measure" if measure_at is not None and at >= measure_at else "warmup",
            intended_at=at,
            max_tokens=max_tokens_of(config, model),
            region=model.region or config.region,
        )
        record.outcome = Outcome.DROPPED
        writer.record(record)
    writer.close()


def _cell(plan: Plan, line: Line) -> Cell:
    """The line's cell; a search makes new ones from the plan's one of its model and bucket."""
    like = next(cell for cell in plan.cells if (cell.model, cell.bucket) == (line["model"], line["bucket"]))
    found: Cell = like._replace(
        number=line["cell"], concurrency=line["concurrency"], block=line["block"], rate_per_min=line["rate_per_min"]
    )
    return found


def _due(config: Config, cell: Cell, unstarted: Line, slots: set[int]) -> list[tuple[int, float]]:
    """What the plan had for ``slots`` until the gate was closed."""
    lasted_s = unstarted["closed_at"] - unstarted["opened_at"]
    plan = takewhile(lambda one: one[1] < lasted_s, enumerate(plan_of_arrivals(config, cell)))
    return [(number, due_s) for number, due_s in plan if number % cell.concurrency in slots]


def _seen(folder: RunFolder, line: Line, worker: str) -> tuple[int, dict[int, int]]:
    """How many of the plan's requests the process has rows of (where its journal is not here: said that it had), and each
    slot's last number: its rows are in the plan's order, so that the missing ones are the last."""
    path, opened = folder.journal / f"{worker}.jsonl", line["unstarted"]["opened_at"] - CLOCKS_S
    if not path.exists():
        told = line["workers"].get(worker) or {}
        count = told.get("sent", 0) + told.get("dropped", 0)
        return count, dict.fromkeys(range(line["concurrency"]), count)
    firsts, seqs = set[tuple[int, int]](), dict[int, int]()
    for _, row in read_journal(path):
        user, seq = row["user"], row["seq"]
        seqs[user] = max(seq, seqs.get(user, -1))
        if row["cell"] == line["cell"] and row["attempt"] == 1 and (row["intended_at"] or 0.0) >= opened:
            firsts.add((user, seq))
    return len(firsts), seqs

"""Sealing: the journals of a run become ``records/*.parquet``, and every request is accounted for.

A worker's journal becomes the parts that are named after it, so sealing again after a crash writes the same files again.
A journal is removed only when all its rows are in parts that were brought to the disk and read back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from fmbench.core.accounting import Accounting, count_rows
from fmbench.storage.atomic import write_bytes
from fmbench.storage.fitting import fitted, identified, misfits
from fmbench.storage.journal import is_written, read_journal
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.table import count_outcomes, write_part

ROWS_PER_PART = 50_000


def seal(folder: RunFolder, earlier: Sequence[Mapping[str, Any]] = ()) -> Accounting:
    """Turn the journals of ``folder`` into Parquet, and account for what its workers, and ``earlier`` ones, say they sent.

    An intent whose record never came becomes a row with ``outcome=abandoned``. Rows of one request beyond its first are left out
    and counted. A journal that is still written stays as it is. Memory holds one part and the requests in flight. Raises
    ``OSError`` when the disk does not take the parts; the journals are then still there.
    """
    folder.records.mkdir(exist_ok=True)
    faults = Counter[str]()
    for journal in sorted(folder.journal.glob("*.jsonl")):
        if is_written(journal) or not journal.is_file():
            continue
        faults += _seal_one(folder, journal)
        journal.unlink()
    if folder.journal.is_dir() and not any(folder.journal.iterdir()):
        folder.journal.rmdir()
    if not any(folder.records.glob("*.parquet")):
        write_part(folder.records / "part-empty-00000.parquet", [])
    accounting = count_rows(count_outcomes(folder.records), all_workers(folder, earlier))
    return replace(accounting, duplicated=faults["duplicated"], torn=faults["torn"])


def all_workers(folder: RunFolder, earlier: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """What load.json says of each worker, after those of a resumed run's ``earlier`` parts."""
    said = read_load(folder).get("workers")
    rows = filter(_is_worker, [*earlier, *(said if isinstance(said, list) else [])])
    return list({str(row["id"]): dict(row) for row in rows}.values())


def _is_worker(row: Any) -> bool:
    """Whether it says of a load process how many requests it sent: load.json may come from a bucket."""
    return isinstance(row, dict) and isinstance(row.get("id"), str) and type(row.get("sent") or 0) is int


def read_load(folder: RunFolder) -> dict[str, Any]:
    """What the controller said at the end; empty when it did not come to that."""
    try:
        load = json.loads(folder.load.read_text())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return load if isinstance(load, dict) else {}


def _seal_one(folder: RunFolder, journal: Path) -> Counter[str]:
    faults = Counter[str]()
    unfit: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    part = 0
    for row in _rows(journal, faults):
        rows.append(row)
        if len(rows) == ROWS_PER_PART:
            unfit += _write(folder.records / f"part-{journal.stem}-{part:05d}.parquet", rows)
            rows, part = [], part + 1
    if rows:
        unfit += _write(folder.records / f"part-{journal.stem}-{part:05d}.parquet", rows)
    if unfit:
        folder.unfit.mkdir(exist_ok=True)
        write_bytes(folder.unfit / f"{journal.stem}.jsonl", b"".join(orjson.dumps(row) + b"\n" for row in unfit))
    return faults


def _write(path: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write one part; the rows of it that did not fit as they were, and are in the part without the values that did not."""
    try:
        write_part(path, rows)
        return []
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    wrong = [(row, misfits(row)) for row in rows]
    write_part(path, [fitted(row, names) if names else row for row, names in wrong])
    return [row for row, names in wrong if names]


def unfit_rows(folder: RunFolder) -> int:
    """How many rows of the run are kept as they were in ``unfit/``, because a value of theirs fits no column."""
    return sum(path.read_bytes().count(b"\n") for path in folder.unfit.glob("*.jsonl"))


def _rows(journal: Path, faults: Counter[str]) -> Iterator[dict[str, Any]]:
    """A row a request, in the order in which they ended; those whose end nobody saw come last."""
    entries = read_journal(journal)
    open_intents: dict[tuple[int, int], dict[str, Any]] = {}
    ended: dict[int, set[int]] = {}
    for kind, row in entries:
        if not identified(row):
            faults["torn"] += 1
            continue
        user, seq = row["user"], row["seq"]
        of_user = ended.setdefault(user, set())
        if seq in of_user or (kind == "intent" and (user, seq) in open_intents):
            faults["duplicated"] += 1
        elif kind == "intent":
            open_intents[user, seq] = row
        else:
            open_intents.pop((user, seq), None)
            of_user.add(seq)
            yield row
    faults["torn"] += entries.torn
    yield from open_intents.values()

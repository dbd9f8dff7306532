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

from fmbench.core.accounting import Accounting, count_rows
from fmbench.storage.journal import read_journal
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.table import count_outcomes, write_part

ROWS_PER_PART = 50_000


def seal(folder: RunFolder, earlier: Sequence[Mapping[str, Any]] = ()) -> Accounting:
    """Turn the journals of ``folder`` into Parquet, and account for what its workers, and ``earlier`` ones, say they sent.

    An intent whose record never came becomes a row with ``outcome=abandoned``. Rows of one request beyond its first are left out
    and counted. Memory holds one part and the requests in flight. Raises ``OSError`` when the disk does not take the parts;
    the journals are then still there.
    """
    folder.records.mkdir(exist_ok=True)
    faults = Counter[str]()
    for journal in sorted(folder.journal.glob("*.jsonl")):
        faults += _seal_one(folder.records, journal)
        journal.unlink()
    if folder.journal.is_dir() and not any(folder.journal.iterdir()):
        folder.journal.rmdir()
    if not any(folder.records.glob("*.parquet")):
        write_part(folder.records / "part-empty-00000.parquet", [])
    accounting = count_rows(count_outcomes(folder.records), all_workers(folder, earlier))
    return replace(accounting, duplicated=faults["duplicated"], torn=faults["torn"])


def all_workers(folder: RunFolder, earlier: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """What load.json says of each worker, after those of a resumed run's ``earlier`` parts."""
    rows = [*earlier, *read_load(folder).get("workers", [])]
    return list({str(row["id"]): dict(row) for row in rows}.values())


def read_load(folder: RunFolder) -> dict[str, Any]:
    """What the controller said at the end; empty when it did not come to that."""
    try:
        load: dict[str, Any] = json.loads(folder.load.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return load


def _seal_one(records: Path, journal: Path) -> Counter[str]:
    faults = Counter[str]()
    rows: list[dict[str, Any]] = []
    part = 0
    for row in _rows(journal, faults):
        rows.append(row)
        if len(rows) == ROWS_PER_PART:
            write_part(records / f"part-{journal.stem}-{part:05d}.parquet", rows)
            rows, part = [], part + 1
    if rows:
        write_part(records / f"part-{journal.stem}-{part:05d}.parquet", rows)
    return faults


def _rows(journal: Path, faults: Counter[str]) -> Iterator[dict[str, Any]]:
    """A row a request, in the order in which they ended; those whose end nobody saw come last."""
    entries = read_journal(journal)
    open_intents: dict[tuple[int, int], dict[str, Any]] = {}
    ended: dict[int, set[int]] = {}
    for kind, row in entries:
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

"""``cells.jsonl``: a line each time a cell was tried, written when its last request was over."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmbench.core.plan import FINISHED, cell_row
from fmbench.core.records import Cell
from fmbench.load.clock import now
from fmbench.load.controller.budget import Used
from fmbench.load.tally import Tally
from fmbench.storage.put_back import put_back

if TYPE_CHECKING:
    from fmbench.core.quota.burst import Burst, Seen
    from fmbench.core.search import Level
    from fmbench.core.sequential import Evidence


@dataclass(slots=True)
class Attempt:
    """One go at a cell. ``leases`` is ``{client: (requests, USD)}``; times are UTC epoch seconds of the controller."""

    cell: Cell
    number: int
    leases: dict[str, tuple[int | None, float | None]]
    started_at: float = field(default_factory=time.time)
    opened_at: float | None = None
    measure_at: float | None = None
    drain_at: float | None = None
    used: Used = field(default_factory=Used)
    """What the budget counts for it: true costs, the bound of what may have been billed, and whole leases of ``unheard``
    workers."""
    unheard: list[str] = field(default_factory=list)
    """Workers that went without a last word: all that they were allowed counts as used, until their journals are read."""
    allowed: Used = field(default_factory=Used)
    """What of ``used`` counts for them."""
    visit: Level | None = None
    """The step of a search that this is."""
    evidence: Evidence | None = None
    """What the window showed of all objectives together; None: it was not asked for."""
    burst: Burst | None = None
    """What a search for a quota sends in it."""
    place: int = 0
    """Which of its search's bursts that is, from 0."""
    last: bool = False
    """Whether the search needs no further burst."""
    fails: bool = False
    """Whether its level was shown not to meet the objectives, where higher ones are then left out."""
    opens_at: float | None = None
    """When its first request is due, UTC epoch seconds; None: as soon as all are ready."""
    seen: list[Seen] = field(default_factory=list)
    """What was seen of a burst."""
    measured: int = 0
    """Requests of the window that were over when it was last looked at."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    """What each worker, by its name, sent."""
    slots: dict[str, list[int]] = field(default_factory=dict)
    """The user slots that each worker, by its client, carries."""
    gone: dict[str, list[int]] = field(default_factory=dict)
    """The slots of workers, by their names, that were lost in it."""

    def ended(self, status: str, reason: str = "") -> dict[str, Any]:
        """The line in ``cells.jsonl``."""
        workers = {name: _counts(tally) for name, tally in self.tallies.items()}
        times = {"started_at": self.started_at, "measure_at": self.measure_at, "drain_at": self.drain_at}
        row = {"cell": self.cell.number, "attempt": self.number, **cell_row(self.cell), "status": status}
        return {
            **row,
            **times,
            "ended_at": now(),
            "reason": reason,
            **self._budget(),
            **self._unstarted(),
            **self._search(),
            **({"fails": True} if self.fails else {}),
            "workers": workers,
        }

    def _unstarted(self) -> dict[str, Any]:
        """What it takes to know which requests of an open loop's plan nobody could start, as who carried them was lost."""
        if not self.gone or self.cell.rate_per_min is None or self.opened_at is None or self.burst is not None:
            return {}
        return {"unstarted": {"opened_at": self.opened_at, "closed_at": self.drain_at or now(), "slots": self.gone}}

    def _search(self) -> dict[str, Any]:
        if self.burst is not None:
            return {"burst": {"number": self.place, "last": self.last}}
        if self.visit is None or self.evidence is None:
            return {}
        from fmbench.core.searches import visit_row

        return {"search": visit_row(self.measured, self.evidence)}

    def _budget(self) -> dict[str, Any]:
        used = {"budget_requests": self.used.requests, "budget_usd": self.used.usd}
        if not self.unheard:
            return used
        return {**used, "unheard": self.unheard, "allowed_requests": self.allowed.requests, "allowed_usd": self.allowed.usd}


def _counts(tally: Tally) -> dict[str, int]:
    counts = {"sent": tally.sent, "ok": tally.ok, "failed": tally.failed}
    return counts | ({"dropped": tally.dropped} if tally.dropped else {})


class CellLog:
    """The lines of ``cells.jsonl``: those of earlier parts of the run, and new ones.

    The file stays open: a run folder that is moved takes new lines with it, and one that is deleted gets all of them again.
    """

    def __init__(self, folder: Path) -> None:
        self._path = (folder / "cells.jsonl").absolute()
        text = self._path.read_text() if self._path.exists() else ""
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines() if _whole(line)]
        if not text.endswith("\n") and text:
            self._path.write_text("".join(f"{line}\n" for line in text.splitlines() if _whole(line)))
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, row: dict[str, Any]) -> None:
        """Append one line and bring it to the disk."""
        self.rows.append(row)
        with os.fdopen(os.dup(self._file), "a") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            put_back(self._file, self._path)

    def finished(self) -> set[int]:
        """The cells that need no further try."""
        return {row["cell"] for row in self.rows if row["status"] in FINISHED}

    def failing(self) -> Iterator[tuple[tuple[str, str], float]]:
        """Model and bucket, and a level of theirs that earlier parts of the run have shown to fail."""
        for row in self.rows:
            if row.get("fails"):
                rate = row["rate_per_min"]
                yield (row["model"], row["bucket"]), float(row["concurrency"] if rate is None else rate)

    def nothing_measured(self) -> str | None:
        """Why not one cell was measured to its end; None: one was."""
        if not self.rows or any(row["status"] == "complete" for row in self.rows):
            return None
        return "; ".join(dict.fromkeys(row["reason"] for row in self.rows if row["reason"]))

    def attempts(self, cell: Cell) -> int:
        """How often a cell was tried."""
        return sum(row["cell"] == cell.number for row in self.rows)

    def used(self) -> tuple[int, float]:
        """Requests and USD that the budget has to count for all lines."""
        return sum(_requests(row) for row in self.rows), sum(row["budget_usd"] for row in self.rows)


def _requests(row: dict[str, Any]) -> int:
    """A line of an earlier version has no count of its own."""
    sent: int = row.get("budget_requests", sum(worker["sent"] for worker in row["workers"].values()))
    return sent


def _whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False

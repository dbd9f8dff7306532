"""The cells of a run: each model, bucket and level with the requests that count for it.

A cell may have been tried several times (a worker was lost, a run was resumed) and repeated in blocks. Attempts that were
completed count; where none was, what is there is shown and not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmbench.core.columns import Joined
from fmbench.core.table import Rows, Table, Words, no_rows

STATUSES = ("complete", "stopped", "invalid", "skipped")
"""How an attempt at a cell can end, best first."""

Line = Mapping[str, Any]
"""A line of cells.jsonl."""
Window = tuple[float, float]
Key = tuple[str, str, int, float | None]
"""Model, bucket, users (or the most in flight), an open loop's rate."""


def level_of(row: Mapping[str, Any]) -> float:
    """How much load a cell's row, line or place in a verdict is of: requests a minute of an open loop, else users."""
    rate, users = row.get("rate_per_min"), row["concurrency"]
    return float(rate) if rate is not None else int(users)


def level_shown(row: Mapping[str, Any]) -> float | None:
    """The level that stands for a model's row of a verdict: the one that it is compared by, else the nearest; None: no level."""
    place = row.get("point") or row.get("closest")
    return level_of(place) if place else None


_SAME = {"default": ("standard",), "standard": ("default",)}
"""Tiers of one kind by two names."""


@dataclass(frozen=True, slots=True)
class MeasuredCell:
    """One model, bucket and level, with all its blocks. ``rows`` are of all phases, in the order of time."""

    model: str
    model_id: str
    bucket: str
    concurrency: int
    status: str
    reason: str | None
    windows: list[Window]
    rows: Rows
    blocks: int
    """How many blocks (repeats) are pooled."""
    rate_per_min: float | None = None
    """An open loop's mean rate; ``concurrency`` then is the most requests in flight."""
    route: str | None = None
    """Which of the model's routes it went by; None: there are no others."""
    dropped: int = 0
    """Requests of the measured window that could not be started; no ``rows`` of them are here."""
    block_s: float | None = None
    """Of windows that ended when they had shown enough: how long the blocks are by which they were looked at; else None."""

    @property
    def complete(self) -> bool:
        """Whether the cell was measured as planned: only then is it judged."""
        return self.status == "complete"

    @property
    def asked_nothing(self) -> bool:
        """Whether an open loop's window ended before any of its requests was due: the rate is too low for so short a time."""
        return self.rate_per_min is not None and self.idle

    @property
    def idle(self) -> bool:
        """Whether nothing was to be sent in the whole window: no request was due, or all users thought or waited."""
        return self.complete and not self.dropped and not self.rows.measured.any()

    @property
    def duration_s(self) -> float:
        """Seconds measured, over all blocks."""
        return float(sum(end - start for start, end in self.windows))

    @property
    def read_from_cache(self) -> float:
        """The share of measured answers that a prompt cache gave a part of; 0 without answers."""
        answers = self.rows.ok & self.rows.measured
        read = answers & (self.rows.number("cache_read_tokens") > 0)
        return float(read.sum() / max(answers.sum(), 1))

    def differing(self, asked: str, served: str) -> int:
        """Measured answers whose column ``served`` says something else than was ``asked``; a default goes by two names."""
        was_asked, was_served = self.rows.words[asked], self.rows.words[served]
        other = self.rows.ok & self.rows.measured & (was_served.codes >= 0)
        differing = 0
        for name in was_asked.names:
            same = was_served.is_(name)
            for alias in _SAME.get(name, ()):
                same = same | was_served.is_(alias)
            differing += int((other & was_asked.is_(name) & ~same).sum())
        return differing

    @property
    def level(self) -> float:
        """How much load it is: requests a minute of an open loop, else users."""
        return self.concurrency if self.rate_per_min is None else self.rate_per_min

    @property
    def key(self) -> Key:
        """What names the cell."""
        return (self.model, self.bucket, self.concurrency, self.rate_per_min)


def measured_cells(table: Table, lines: Iterable[Line], models: Mapping[str, str]) -> list[MeasuredCell]:
    """The run's cells in the order in which they were first tried. ``models`` maps labels to ids."""
    known = [*lines]
    known += _missing_lines(table, known)
    groups: dict[Key, list[Line]] = {}
    for line in known:
        groups.setdefault((line["model"], line["bucket"], int(line["concurrency"]), line.get("rate_per_min")), []).append(line)
    pieces = _rows_by_attempt(table, known)
    return [_pooled(key, group, pieces, models) for key, group in groups.items()]


def _pooled(key: Key, lines: list[Line], pieces: dict[int, Rows], models: Mapping[str, str]) -> MeasuredCell:
    status = next((status for status in STATUSES if any(line["status"] == status for line in lines)), str(lines[0]["status"]))
    counted = [line for line in lines if line["status"] == status]
    rows = [pieces[id(line)] for line in counted if id(line) in pieces]
    model, bucket, concurrency, rate_per_min = key
    pooled = joined(rows)
    dropped = pooled.dropped
    return MeasuredCell(
        model=model,
        model_id=str(counted[0].get("model_id") or models.get(model, model)),
        bucket=bucket,
        concurrency=concurrency,
        status=status,
        reason=next((str(line["reason"]) for line in reversed(counted) if line.get("reason")), None),
        windows=[window for line in counted if (window := _window(line, pieces.get(id(line)))) is not None],
        rows=pooled[~dropped] if dropped.any() else pooled,
        blocks=len({line.get("block") or 0 for line in counted}),
        rate_per_min=rate_per_min,
        route=counted[0].get("route"),
        dropped=int((dropped & pooled.measured).sum()),
    )


def joined(pieces: list[Rows]) -> Rows:
    """Several repeats as one, one after the other; ``blocks`` tells them apart."""
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return no_rows()
    blocks = np.repeat(np.arange(len(pieces), dtype=np.float64), [len(piece) for piece in pieces])
    return Rows(
        Joined([piece.numbers for piece in pieces], {"block": blocks}),
        Joined([piece.words for piece in pieces]),
    )


def _window(line: Line, rows: Rows | None) -> Window | None:
    """The measured window; of an attempt that was cut, up to where its last measured request was sent."""
    start, end = line.get("measure_at"), line.get("drain_at")
    if start is None:
        return None
    if end is None:
        sent = rows[rows.measured].known("sent_at") if rows is not None else np.empty(0)
        end = float(sent.max()) if len(sent) else None
    return None if end is None or end <= start else (float(start), float(end))


def _rows_by_attempt(table: Table, lines: list[Line]) -> dict[int, Rows]:
    """Each line's rows: those of its cell from when it was started to when the cell was tried again."""
    pieces: dict[int, Rows] = {}
    attempts: dict[int, list[Line]] = {}
    for line in lines:
        attempts.setdefault(int(line["cell"]), []).append(line)
    for cell, rows in table.cells():
        tries = sorted(filter(_tried, attempts.get(cell, ())), key=_started)
        if len(tries) == 1:
            pieces[id(tries[0])] = rows
        elif tries:
            which = np.searchsorted([_started(line) for line in tries[1:]], rows.at, side="right")
            pieces.update({id(line): rows[which == index] for index, line in enumerate(tries)})
    return pieces


def _tried(line: Line) -> bool:
    """Whether anything was sent: a model is left out when its first requests were refused, and those are of its cell."""
    return line["status"] != "skipped" or any(tally["sent"] for tally in (line.get("workers") or {}).values())


def _started(line: Line) -> float:
    return float(line.get("started_at") or 0.0)


def _missing_lines(table: Table, lines: list[Line]) -> list[Line]:
    """Lines for cells that have rows and no line: the run was cut before the controller could write one."""
    known = {int(line["cell"]) for line in filter(_tried, lines)}
    return [_line_from_rows(cell, rows) for cell, rows in table.cells() if cell not in known]


def _line_from_rows(cell: int, rows: Rows) -> Line:
    sent = rows[rows.measured].known("sent_at")
    names, rates = rows.words, rows.known("rate_per_min")
    return {
        "cell": cell,
        "model": _only(names["model"]),
        "bucket": _only(names["bucket"]),
        "concurrency": int(np.nanmax(rows.number("concurrency"), initial=0)),
        "rate_per_min": float(rates.max()) if len(rates) else None,
        "status": "stopped",
        "started_at": float(np.nanmin(rows.at)) if len(rows) else None,
        "measure_at": float(sent.min()) if len(sent) else None,
        "drain_at": float(sent.max()) if len(sent) else None,
        "reason": "the run was cut inside this cell",
    }


def _only(words: Words) -> str:
    return next(iter(words.counts()), "")

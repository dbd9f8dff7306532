"""Our counts against Locust's own, by cell and phase: the two count the same requests independently and have to agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fmbench.core.messages import Message
from fmbench.core.table import Rows, Table

Counts = Mapping[str, Mapping[str, int]]
"""``model|bucket|concurrency|phase`` → ``{requests, failures}``."""

KINDS = ("requests", "failures")


def counts_by_name(table: Table) -> dict[str, dict[str, int]]:
    """The records' counts of requests that ended, under Locust's request names."""
    found: dict[str, dict[str, int]] = {}
    for rows in table.pieces():
        for name, counts in _counts(rows).items():
            mine = found.setdefault(name, dict.fromkeys(KINDS, 0))
            for kind in KINDS:
                mine[kind] += counts[kind]
    return dict(sorted(found.items()))


def _counts(rows: Rows) -> dict[str, dict[str, int]]:
    words = [rows.words[name] for name in ("model", "bucket", "phase")]
    levels = np.nan_to_num(rows.number("concurrency"), nan=-1).astype(np.int64)
    ended = (rows.ok | rows.failed) & np.all([word.codes >= 0 for word in words], axis=0) & (levels >= 0)
    keys = np.stack([words[0].codes, words[1].codes, levels, words[2].codes], axis=1)[ended]
    if not len(keys):
        return {}
    width = keys.max(axis=0) + 1
    flat = np.ravel_multi_index(tuple(keys.T), tuple(int(size) for size in width))
    failed = np.bincount(flat, weights=rows.failed[ended])
    total = np.bincount(flat)
    found = {}
    for place in np.flatnonzero(total):
        model, bucket, level, phase = np.unravel_index(place, tuple(int(size) for size in width))
        name = f"{words[0].names[model]}|{words[1].names[bucket]}|{level}|{words[2].names[phase]}"
        found[name] = {"requests": int(total[place]), "failures": int(failed[place])}
    return found


def locust_requests(manifest: Mapping[str, Any]) -> int | None:
    """How many requests Locust counted in all; None when the run has no such count."""
    total = (manifest.get("locust") or {}).get("requests")
    return None if total is None else int(total)


@dataclass(frozen=True, slots=True)
class CountDiffers(Message):
    """One count on which the records and Locust disagree."""

    says: ClassVar[str] = "{name}: {ours:,} {what} in the records, {theirs:,} in Locust's count"
    name: str
    what: str
    ours: int
    theirs: int


def differences(ours: Counts, manifest: Mapping[str, Any]) -> list[Message]:
    """One message for each count on which the records and Locust disagree; none when they agree, or Locust counted nothing.

    The manifest's ``locust`` holds Locust's totals ``{requests, failures}`` and, by request name, ``counts: {name: {requests,
    failures}}``; the names are compared where they are there, else the totals.
    """
    locust = manifest.get("locust") or {}
    if locust.get("counts") is not None:
        return [phrase for name in sorted({*ours, *locust["counts"]}) for phrase in _differ(name, ours, locust["counts"])]
    if locust.get("requests") is None:
        return []
    totals = {what: sum(counts[what] for counts in ours.values()) for what in KINDS}
    return _differ("all cells", {"all cells": totals}, {"all cells": locust})


def _differ(name: str, ours: Counts, theirs: Counts) -> list[Message]:
    pairs = [(what, ours.get(name, {}).get(what, 0), theirs.get(name, {}).get(what, 0)) for what in KINDS]
    return [CountDiffers(name, what, mine, other) for what, mine, other in pairs if mine != other]

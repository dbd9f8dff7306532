"""Cells that were skipped, cut or spoilt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import WARNING, Evidence, Finding, names_of
from fmbench.core.messages import Count, Message, Several
from fmbench.core.results import CellResult

WAYS = {"stopped": "cut short", "invalid": "spoilt", "skipped": "left out"}


@dataclass(frozen=True, slots=True)
class NotJudged(Message):
    """Cells that ended in one way, without a reason."""

    says: ClassVar[str] = "{cells} {way}: {names}. Not judged."
    cells: Count
    way: str
    names: Several


@dataclass(frozen=True, slots=True)
class NotJudgedBecause(Message):
    """Cells that ended in one way for one reason."""

    says: ClassVar[str] = "{cells} {way} ({reason}): {names}. Not judged."
    cells: Count
    way: str
    reason: str
    names: Several


def cells_not_run(evidence: Evidence) -> Iterator[Finding]:
    """Which cells are not judged, by how they ended and why."""
    for status, way in WAYS.items():
        by_reason: dict[str, list[CellResult]] = {}
        for found in evidence.results:
            if found.cell.status == status:
                by_reason.setdefault(found.cell.reason or "", []).append(found)
        for reason, cells in by_reason.items():
            many, names = Count(len(cells), "cell"), names_of(cells)
            yield Finding(WARNING, "cells", NotJudgedBecause(many, way, reason, names) if reason else NotJudged(many, way, names))


CHECKS = (cells_not_run,)

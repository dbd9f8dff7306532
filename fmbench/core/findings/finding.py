"""What a finding is: how grave, what about, and what there is to say of it; and what the checks look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fmbench.core.messages import CellName, Message, Several
from fmbench.core.results import CellResult

ERROR, WARNING, NOTE = "error", "warning", "note"
MOST_NAMED = 3
"""Cells that a finding names one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a run."""

    severity: str
    subject: str
    message: Message


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the checks look at."""

    results: list[CellResult]
    manifest: Mapping[str, Any]
    own_counts: Mapping[str, Mapping[str, int]]
    """Our counts by Locust's request names."""

    @property
    def measured(self) -> list[CellResult]:
        """The cells that have measured requests."""
        return [found for found in self.results if found.row["requests"]]

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration as resolved."""
        return self.manifest.get("config") or {}


Check = Callable[[Evidence], Iterator[Finding]]


def name_of(found: CellResult) -> CellName:
    """A cell's name."""
    return CellName(found.cell.model, found.cell.bucket, found.cell.concurrency, found.cell.rate_per_min)


def names_of(results: list[CellResult]) -> Several:
    """The first cells by name, and how many more there are."""
    return Several(tuple(map(name_of, results)), MOST_NAMED)

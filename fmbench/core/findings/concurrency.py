"""Cells in which fewer requests were in flight than users were asked for, apart from those whose users met failures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.findings.finding import NOTE, WARNING, Evidence, Finding, name_of
from fmbench.core.messages import CellName, Count, Message
from fmbench.core.results import CellResult

ACHIEVED_SHARE = 0.9
FAILING_SHARE = 0.05
"""From this share of failed requests on, their users' pauses are why fewer were in flight."""


@dataclass(frozen=True, slots=True)
class FewerInFlight(Message):
    """Where nothing explains it."""

    says: ClassVar[str] = (
        "In {cells} fewer requests were in flight than users asked for, at worst {reached:.1f} of {users} in {worst}. "
        "Read these cells by the achieved number; more load processes may help."
    )
    cells: Count
    reached: float
    users: int
    worst: CellName


@dataclass(frozen=True, slots=True)
class FewerAfterFailures(Message):
    """Where users waited after failures."""

    says: ClassVar[str] = (
        "In {cells} fewer requests were in flight than users asked for, at worst {reached:.1f} of {users} in {worst}: "
        "users pause after a failure. Read these cells by the achieved number."
    )
    cells: Count
    reached: float
    users: int
    worst: CellName


def fewer_users(evidence: Evidence) -> Iterator[Finding]:
    """Whether as many requests were in flight as users were asked for."""
    if (evidence.manifest.get("config") or {}).get("load", {}).get("think_time_s"):
        return
    closed = [found for found in evidence.measured if found.cell.rate_per_min is None]
    short = [found for found in closed if found.row["ok"] and _achieved(found) < ACHIEVED_SHARE]
    failing = [found for found in short if (ERROR_RATE.interval(found.row)[0] or 0) > FAILING_SHARE]
    able = [found for found in short if found not in failing and not found.instrument.lacked_credentials]
    if able:
        yield Finding(WARNING, "concurrency", FewerInFlight(*_fewer(able)))
    if failing:
        yield Finding(NOTE, "concurrency", FewerAfterFailures(*_fewer(failing)))


def _fewer(short: list[CellResult]) -> tuple[Count, float, int, CellName]:
    worst = min(short, key=_achieved)
    return Count(len(short), "cell"), float(worst.row["achieved_concurrency"]), worst.cell.concurrency, name_of(worst)


def _achieved(found: CellResult) -> float:
    reached = found.row["achieved_concurrency"]
    return 1.0 if reached is None else float(reached) / found.cell.concurrency


CHECKS = (fewer_users,)

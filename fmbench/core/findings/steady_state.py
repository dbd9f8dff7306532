"""Windows that began before the latency had settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import WARNING, Evidence, Finding, name_of
from fmbench.core.messages import Amount, CellName, Count, Message
from fmbench.core.results import CellResult
from fmbench.core.units import SECONDS

UNSTEADY_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class StillChanging(Message):
    """How many, and for how long at worst."""

    says: ClassVar[str] = (
        "In {cells} the latency was still changing when the window began, at worst for {seconds} in {worst}. Raise load.warmup_s."
    )
    cells: Count
    seconds: Amount
    worst: CellName


def not_steady(evidence: Evidence) -> Iterator[Finding]:
    """Whether the latency had settled when windows began."""
    late = [found for found in evidence.measured if _unsteady(found) > UNSTEADY_SHARE]
    if late:
        worst = max(late, key=lambda found: found.row["steady"]["unsteady_s"])
        seconds = Amount(worst.row["steady"]["unsteady_s"], SECONDS)
        yield Finding(WARNING, "steady state", StillChanging(Count(len(late), "cell"), seconds, name_of(worst)))


def _unsteady(found: CellResult) -> float:
    steady = found.row["steady"]
    return 0.0 if steady is None or not found.cell.duration_s else float(steady["unsteady_s"]) / found.cell.duration_s


CHECKS = (not_steady,)

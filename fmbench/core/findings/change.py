"""Windows inside which the latency took another level, or grew: their intervals span both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding, name_of
from fmbench.core.messages import Amount, CellName, Count, Message
from fmbench.core.results import CellResult
from fmbench.core.units import SECONDS


@dataclass(frozen=True, slots=True)
class TookAnotherLevel(Message):
    """In how many cells, and the largest: from what to what, and when."""

    says: ClassVar[str] = (
        "In {cells} the latency changed inside the window: in {worst} from {before} to {after}, {seconds} after it began. "
        "Intervals span both levels; look at the timeline, and measure again or longer."
    )
    cells: Count
    worst: CellName
    before: Amount
    after: Amount
    seconds: Amount


@dataclass(frozen=True, slots=True)
class Grew(Message):
    """In how many cells, and the largest: from what to what."""

    says: ClassVar[str] = (
        "In {cells} the latency changed all through the window: in {worst} from {before} to {after}. "
        "Its figures are of no steady state; look at the timeline."
    )
    cells: Count
    worst: CellName
    before: Amount
    after: Amount


def changed_inside(evidence: Evidence) -> Iterator[Finding]:
    """Whether there is a clear change in a window, by its kind."""
    for kind in ("shift", "growth"):
        found = [result for result in evidence.measured if (result.row.get("change") or {}).get("kind") == kind]
        if not found:
            continue
        worst = max(found, key=_size)
        change, cells = worst.row["change"], Count(len(found), "cell")
        before, after = (Amount(change[name], SECONDS) for name in ("before_s", "after_s"))
        if kind == "growth":
            yield Finding(NOTE, "change", Grew(cells, name_of(worst), before, after))
        else:
            seconds = Amount(change["at_s"], SECONDS)
            yield Finding(NOTE, "change", TookAnotherLevel(cells, name_of(worst), before, after, seconds))


def _size(result: CellResult) -> float:
    change = result.row["change"]
    return float(max(change["after_s"] / change["before_s"], change["before_s"] / change["after_s"]))


CHECKS = (changed_inside,)

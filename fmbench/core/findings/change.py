"""Windows inside which the latency took another level, grew, or began slow: their intervals span both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding, name_of
from fmbench.core.messages import Amount, CellName, Count, Message
from fmbench.core.multiplicity import holm
from fmbench.core.results import CellResult
from fmbench.core.units import SECONDS

ALARM = 0.05


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
        "Its figures are of no steady state, and their intervals take the change for chance: they are wide. Look at the timeline."
    )
    cells: Count
    worst: CellName
    before: Amount
    after: Amount


@dataclass(frozen=True, slots=True)
class BeganSlow(Message):
    """In how many cells, and the clearest: how much slower, and for how long."""

    says: ClassVar[str] = (
        "In {cells} the window began slow: in {clearest} answers took {times} times as long at its start, and as long as usual "
        "after some {seconds}. That is in the figures; raise load.warmup_s."
    )
    cells: Count
    clearest: CellName
    times: float
    seconds: Amount


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


def began_slow(evidence: Evidence) -> Iterator[Finding]:
    """Whether a window clearly began slow: one false alarm in twenty runs, whatever the number of cells (Holm)."""
    starts = [(result, result.row.get("falling_start")) for result in evidence.measured]
    corrected = holm([None if start is None else start["p"] for _, start in starts])
    found = [
        (p, result, start)
        for p, (result, start) in zip(corrected, starts, strict=True)
        if p is not None and start is not None and p < ALARM and result.row.get("change") is None
    ]
    if found:
        _, clearest, start = min(found, key=lambda one: one[0])
        seconds = Amount(start["lasts_s"], SECONDS)
        told = BeganSlow(Count(len(found), "cell"), name_of(clearest), float(f"{start['factor']:.2g}"), seconds)
        yield Finding(NOTE, "change", told)


def _size(result: CellResult) -> float:
    change = result.row["change"]
    return float(max(change["after_s"] / change["before_s"], change["before_s"] / change["after_s"]))


CHECKS = (changed_inside, began_slow)

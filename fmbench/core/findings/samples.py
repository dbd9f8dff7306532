"""Cells too small for a p95, and repeats too few to tell how hours differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.intervals import FEWEST_BLOCKS
from fmbench.core.messages import Count, Message
from fmbench.core.samples import samples_needed

CURE = "Raise load.min_requests or load.duration_s, or set load.until: decided."


@dataclass(frozen=True, slots=True)
class OneSmall(Message):
    """One cell that is too small."""

    says: ClassVar[str] = f"1 cell of {{all}} has fewer than the {{needed}} answers that a p95 takes (least: {{least}}). {CURE}"
    all: int
    needed: int
    least: int


@dataclass(frozen=True, slots=True)
class SomeSmall(Message):
    """Several of them."""

    says: ClassVar[str] = (
        f"{{cells}} of {{all}} have fewer than the {{needed}} answers that a p95 takes (least: {{least}}). {CURE}"
    )
    cells: Count
    all: int
    needed: int
    least: int


@dataclass(frozen=True, slots=True)
class FewRepeats(Message):
    """Cells with as many repeats."""

    says: ClassVar[str] = (
        "{repeats} repeats of a cell do not tell how hours differ: where they do, its intervals are too narrow. "
        "With load.repeats of {needed} or more they hold."
    )
    repeats: str
    needed: int


def small_samples(evidence: Evidence) -> Iterator[Finding]:
    """Whether cells are large enough for a p95."""
    needed = samples_needed(0.95)
    judged = [
        found for found in evidence.results if found.row["requests"] or (found.cell.complete and not found.cell.asked_nothing)
    ]
    small = [found for found in judged if found.row["ok"] < needed]
    if small:
        least, total = min(found.row["ok"] for found in small), len(judged)
        several = SomeSmall(Count(len(small), "cell"), total, needed, least)
        yield Finding(NOTE, "sample size", OneSmall(total, needed, least) if len(small) == 1 else several)


def few_repeats(evidence: Evidence) -> Iterator[Finding]:
    """Whether repeats tell how one hour differs from the next."""
    if ((evidence.manifest.get("config") or {}).get("load") or {}).get("search"):
        return  # its blocks are visits of a level, a few minutes apart
    counts = {found.cell.blocks for found in evidence.measured if 1 < found.cell.blocks < FEWEST_BLOCKS}
    if counts:
        much = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
        yield Finding(NOTE, "repeats", FewRepeats(much, FEWEST_BLOCKS))


CHECKS = (small_samples, few_repeats)

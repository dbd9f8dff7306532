"""Cells in which the load processes were late or busy: a finding a subject, about the cell where it is gravest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import ERROR, NOTE, WARNING, Evidence, Finding, name_of, names_of
from fmbench.core.instrument import INVALID, LAG_FLOOR_S, LAG_SHARE, Doubt
from fmbench.core.messages import Amount, CellName, Count, Message, Several
from fmbench.core.results import CellResult
from fmbench.core.units import SECONDS


@dataclass(frozen=True, slots=True)
class Doubtful(Message):
    """Cells that are read with care."""

    says: ClassVar[str] = "In {cells}, at worst {worst}: {about}."
    cells: Count
    worst: CellName
    about: Message


@dataclass(frozen=True, slots=True)
class Spoilt(Message):
    """Cells of which some are INVALID."""

    says: ClassVar[str] = "In {cells}, at worst {worst}: {about}. INVALID, so nothing is held against the model there: {invalid}."
    cells: Count
    worst: CellName
    about: Message
    invalid: Several


@dataclass(frozen=True, slots=True)
class ReadLateStampedInTime(Message):
    """Cells whose answers were read late, with stamps that do not wait for a reader: how late, where it was the worst."""

    says: ClassVar[str] = (
        "In {cells} the load processes read answers late, at worst by {lag} (p95) in {worst}. That is in no latency: each is by "
        "the kernel's stamps. Users' next requests went out so much later."
    )
    cells: Count
    lag: Amount
    worst: CellName


def read_late(evidence: Evidence) -> Iterator[Finding]:
    """Whether answers were read late, where that is in no latency."""
    late = [
        (found.instrument.lateness.p95, found) for found in evidence.measured if _read_late(found) and found.instrument.lateness
    ]
    if late:
        lag, worst = max(late, key=lambda pair: pair[0])
        told = ReadLateStampedInTime(Count(len(late), "cell"), Amount(lag, SECONDS), name_of(worst))
        yield Finding(NOTE, "instrument", told)


def _read_late(found: CellResult) -> bool:
    late, usual = found.instrument.lateness, found.row["e2e_s"]["p50"]
    return late is not None and late.ends and usual is not None and late.p95 > max(LAG_FLOOR_S, LAG_SHARE * usual)


def instrument(evidence: Evidence) -> Iterator[Finding]:
    """Whether the load processes were fit to measure."""
    doubts = [(doubt, found) for found in evidence.measured for doubt in found.instrument.doubts]
    spoilt = [found for found in evidence.measured if found.instrument.verdict == INVALID]
    for subject in dict.fromkeys(doubt.subject for doubt, _ in doubts):
        about = [(doubt, found) for doubt, found in doubts if doubt.subject == subject]
        worst, where = max(about, key=lambda pair: (pair[0].verdict == INVALID, pair[0].size))
        grave = worst.verdict == INVALID and 2 * len(spoilt) >= len(evidence.measured)
        yield Finding(ERROR if grave else WARNING, subject, _message(about, worst, where))


def _message(about: list[tuple[Doubt, CellResult]], worst: Doubt, where: CellResult) -> Message:
    cells, invalid = Count(len(about), "cell"), [found for doubt, found in about if doubt.verdict == INVALID]
    if invalid:
        return Spoilt(cells, name_of(where), worst.about, names_of(invalid))
    return Doubtful(cells, name_of(where), worst.about)


CHECKS = (instrument, read_late)

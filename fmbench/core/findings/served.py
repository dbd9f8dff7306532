"""Requests that were served at another tier than they asked for: their latency and price are that tier's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import WARNING, Evidence, Finding, names_of
from fmbench.core.messages import Message, Several


@dataclass(frozen=True, slots=True)
class OtherThanAsked(Message):
    """How many answers, of what, in which cells."""

    says: ClassVar[str] = (
        "{answers:,} answers of {cells} came at another {what} than was asked for: latency and price are those of "
        "what served them."
    )
    answers: int
    what: str
    cells: Several


_PAIRS = (("service tier", "service_tier_asked", "service_tier"), ("latency mode", "latency_mode_asked", "latency_mode"))


def served(evidence: Evidence) -> Iterator[Finding]:
    """Whether what was asked for is what served."""
    for what, asked, as_served in _PAIRS:
        counts = [(found, found.cell.differing(asked, as_served)) for found in evidence.measured]
        struck = [(found, count) for found, count in counts if count]
        if struck:
            answers = sum(count for _, count in struck)
            yield Finding(WARNING, "served", OtherThanAsked(answers, what, names_of([found for found, _ in struck])))


CHECKS = (served,)

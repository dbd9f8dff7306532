"""A run without a measured request says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import ERROR, Evidence, Finding
from fmbench.core.messages import Message


@dataclass(frozen=True, slots=True)
class NothingAnswered(Message):
    """No answer in any measured window."""

    says: ClassVar[str] = "No request was answered in a measured window: there is nothing to report. See the failures."


@dataclass(frozen=True, slots=True)
class NothingDue(Message):
    """An open loop whose windows were over before a request was due."""

    says: ClassVar[str] = (
        "No request was due in a measured window: at so low a rate it takes longer. "
        "Raise load.duration_s, or ask for load.min_requests."
    )


def nothing_measured(evidence: Evidence) -> Iterator[Finding]:
    """Whether there is anything to report."""
    results = evidence.results
    if results and all(found.cell.asked_nothing for found in results):
        yield Finding(ERROR, "requests", NothingDue())
    elif not any(found.row["ok"] for found in results):
        yield Finding(ERROR, "requests", NothingAnswered())


CHECKS = (nothing_measured,)

"""A run without a measured request says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import ERROR, Evidence, Finding
from fmbench.core.messages import Message


@dataclass(frozen=True, slots=True)
class NothingAnswered(Message):
    """No answer in any measured window, and requests failed."""

    says: ClassVar[str] = "No request was answered in a measured window: there is nothing to report. See the failures."


@dataclass(frozen=True, slots=True)
class NothingThere(Message):
    """No answer in any measured window, and no failure."""

    says: ClassVar[str] = "No request was answered in a measured window, and none failed: there is nothing to report."


@dataclass(frozen=True, slots=True)
class NothingStarted(Message):
    """An open loop of which everything was dropped."""

    says: ClassVar[str] = (
        "No request of a measured window could be started: as many were in flight as may be. "
        "Raise load.max_in_flight, or ask for a lower rate."
    )


@dataclass(frozen=True, slots=True)
class NothingSent(Message):
    """A closed loop in whose windows no user came to send."""

    says: ClassVar[str] = (
        "No request was sent in a measured window: users {were} all the time. "
        "Raise load.duration_s, or ask for load.min_requests."
    )
    were: str


@dataclass(frozen=True, slots=True)
class NothingDue(Message):
    """An open loop whose windows were over before a request was due."""

    says: ClassVar[str] = (
        "No request was due in a measured window: at so low a rate it takes longer. "
        "Raise load.duration_s, or ask for load.min_requests."
    )


def nothing_measured(evidence: Evidence) -> Iterator[Finding]:
    """Whether there is anything to report."""
    if not any(found.row["ok"] for found in evidence.results):
        yield Finding(ERROR, "requests", _why_nothing(evidence))


def _why_nothing(evidence: Evidence) -> Message:
    results = evidence.results
    failed = (evidence.manifest.get("accounting") or {}).get("failed") or any(found.row["failed"] for found in results)
    idle = bool(results) and all(found.cell.idle for found in results)
    if idle and any(found.cell.rate_per_min is not None for found in results):
        return NothingDue()
    if failed:
        return NothingAnswered()
    if idle:
        thinking = evidence.config.get("load", {}).get("think_time_s")
        return NothingSent("thought" if thinking else "waited for answers to earlier requests")
    return NothingStarted() if any(found.cell.dropped for found in results) else NothingThere()


CHECKS = (nothing_measured,)

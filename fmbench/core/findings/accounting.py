"""Requests whose end nobody saw, rows that are missing, and requests that could not be started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import ERROR, WARNING, Evidence, Finding
from fmbench.core.messages import Message

GRAVE_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Missing(Message):
    """Rows of requests that a worker sent."""

    says: ClassVar[str] = (
        "{missing:,} of {sent:,} requests are missing from the records. Their cells are better run again (--resume)."
    )
    missing: int
    sent: int


@dataclass(frozen=True, slots=True)
class Abandoned(Message):
    """Requests whose end nobody saw."""

    says: ClassVar[str] = "{abandoned:,} of {sent:,} requests have no known end. Their cells are better run again (--resume)."
    abandoned: int
    sent: int


@dataclass(frozen=True, slots=True)
class Dropped(Message):
    """Requests that the plan wanted and no load process could start."""

    says: ClassVar[str] = (
        "{dropped:,} planned requests could not be started: as many were in flight as may be. "
        "Raise load.max_in_flight, or ask for a lower rate."
    )
    dropped: int


def unaccounted(evidence: Evidence) -> Iterator[Finding]:
    """Whether every planned request has a row with an end."""
    counts = evidence.manifest.get("accounting") or {}
    sent = counts.get("sent") or 0
    for number, message in ((counts.get("lost") or 0, Missing), (counts.get("abandoned") or 0, Abandoned)):
        if number:
            yield Finding(ERROR if number > GRAVE_SHARE * sent else WARNING, "accounting", message(number, sent))
    if counts.get("dropped"):
        yield Finding(WARNING, "accounting", Dropped(counts["dropped"]))


CHECKS = (unaccounted,)

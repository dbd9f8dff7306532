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


def nothing_measured(evidence: Evidence) -> Iterator[Finding]:
    """Whether there is anything to report."""
    if not any(found.row["ok"] for found in evidence.results):
        yield Finding(ERROR, "requests", NothingAnswered())


CHECKS = (nothing_measured,)

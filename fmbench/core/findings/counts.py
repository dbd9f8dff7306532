"""Locust counted the same requests by itself; a difference means that one of the two is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import MOST_NAMED, WARNING, Evidence, Finding
from fmbench.core.messages import Message, Several
from fmbench.core.reconcile import differences


@dataclass(frozen=True, slots=True)
class CountsDiffer(Message):
    """The first differences."""

    says: ClassVar[str] = "Counts differ: {differences}. The records are what this report is made of."
    differences: Several


def against_locust(evidence: Evidence) -> Iterator[Finding]:
    """Whether Locust counted the same."""
    found = differences(evidence.own_counts, evidence.manifest)
    if found:
        yield Finding(WARNING, "counts", CountsDiffer(Several(tuple(found), MOST_NAMED)))


CHECKS = (against_locust,)

"""Why the load ended, when it did not run to the end of its plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import WARNING, Evidence, Finding
from fmbench.core.messages import Message


@dataclass(frozen=True, slots=True)
class EndedEarly(Message):
    """With the load's own words."""

    says: ClassVar[str] = "Ended early: {why}. --resume goes on with the cells that are missing."
    why: str


def ended_early(evidence: Evidence) -> Iterator[Finding]:
    """Whether the plan was done."""
    ended = evidence.manifest.get("ended")
    if ended not in (None, "done"):
        why = evidence.manifest.get("message") or f"the load ended before its plan was done ({ended})"
        yield Finding(WARNING, "load", EndedEarly(str(why).rstrip(".")))


CHECKS = (ended_early,)

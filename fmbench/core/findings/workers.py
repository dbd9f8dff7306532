"""Load processes that were gone before the end: their share of the users went with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import ERROR, Evidence, Finding
from fmbench.core.messages import Message, Several


@dataclass(frozen=True, slots=True)
class OneLost(Message):
    """One load process, by its name where that is known."""

    says: ClassVar[str] = (
        "A load process was lost ({worker}). Cells that it took part in are not judged; look at its log and memory."
    )
    worker: str


@dataclass(frozen=True, slots=True)
class SomeLost(Message):
    """Several load processes."""

    says: ClassVar[str] = (
        "{number} load processes were lost ({workers}). Cells that they took part in are not judged; "
        "look at their logs and memory."
    )
    number: int
    workers: Several


@dataclass(frozen=True, slots=True)
class UnnamedLost(Message):
    """One of which no name is known."""

    says: ClassVar[str] = "A load process was lost. Cells that it took part in are not judged; look at its log and memory."


@dataclass(frozen=True, slots=True)
class Silent(Message):
    """Load processes that were there and did not answer any more."""

    says: ClassVar[str] = (
        "Load processes stopped answering in the middle of the run: {workers}. Each was stopped, hangs or is cut off; the run "
        "went on without it, and cells that it took part in are not judged."
    )
    workers: Several


def workers_lost(evidence: Evidence) -> Iterator[Finding]:
    """Whether all load processes stayed to the end."""
    gone = [worker for worker in evidence.manifest.get("workers") or [] if worker.get("lost")]
    silent = [str(worker.get("id")) for worker in gone if worker.get("silent")]
    lost = [str(worker.get("id")) for worker in gone if not worker.get("silent")]
    if silent:
        yield Finding(ERROR, "workers", Silent(Several(tuple(silent))))
    if len(lost) > 1:
        yield Finding(ERROR, "workers", SomeLost(len(lost), Several(tuple(lost))))
    elif lost:
        yield Finding(ERROR, "workers", OneLost(lost[0]))
    elif not silent and evidence.manifest.get("ended") == "worker_lost":
        yield Finding(ERROR, "workers", UnnamedLost())


CHECKS = (workers_lost,)

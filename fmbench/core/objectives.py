"""Objectives as tests: met, not met, or undecided with the requests it would still take. Each figure judges its own limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fmbench.core.error_limits import MOST, SCREEN
from fmbench.core.figures.answered import ANSWERED_SHARE
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.figures.figure import MET, NOT_MET, UNDECIDED, Figure, Judgement, Sample
from fmbench.core.figures.percentiles import Percentile
from fmbench.core.figures.registry import of_objective
from fmbench.core.looks import Counts
from fmbench.core.sequential import Evidence
from fmbench.core.table import Flags, Rows

NOT_LIMITS = ("bucket", "prefer")
"""Keys of the objectives that set no limit."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A limit by its configuration key."""

    name: str
    limit: float
    screen: bool = False
    """Not asked for: it only rules out what is shown to be beyond it, and is no objective that a cell could meet."""

    @property
    def figure(self) -> Figure:
        """What the limit is on. Raises ``UnknownFigure``."""
        return of_objective(self.name)

    @property
    def percentile(self) -> Percentile | None:
        """What it is on, when that is a percentile of a latency."""
        found = self.figure
        return found if isinstance(found, Percentile) else None


def objectives_of(config: Mapping[str, Any]) -> list[Objective]:
    """The limits of a configuration's ``objectives`` section. Raises ``UnknownFigure`` for a key that is none."""
    limits = {name: limit for name, limit in config.items() if name not in NOT_LIMITS and limit is not None}
    return [Objective(of_objective(name).objective or name, float(limit)) for name, limit in limits.items()]


def screens_of(config: Mapping[str, Any]) -> list[Objective]:
    """What cells are ruled out by although the configuration sets no limit on it."""
    asked = {objective.name for objective in objectives_of(config)}
    screens = ((ERROR_RATE, SCREEN), (ANSWERED_SHARE, MOST))
    return [Objective(figure.key, limit, screen=True) for figure, limit in screens if figure.key not in asked]


def percents_of(objectives: Iterable[Objective]) -> dict[str, list[float]]:
    """The percentiles that limits are on, by their latency's column: cells are described by these too."""
    found: dict[str, list[float]] = {}
    for objective in objectives:
        if (asked := objective.percentile) is not None:
            found.setdefault(asked.latency.column, []).append(asked.percent)
    return found


def judge(objective: Objective, sample: Sample) -> Judgement:
    """How ``objective`` stands in the cell that ``sample`` is of."""
    return objective.figure.judge(objective.limit, sample)


def decided(objective: Objective, counts: Counts) -> bool:
    """Whether ``objective`` is met or not met by now; also when no more requests would tell (``evidence_for`` is None)."""
    evidence = evidence_for(objective, counts)
    return evidence is None or evidence.status() is not None


def evidence_for(objective: Objective, counts: Counts) -> Evidence | None:
    """What the counts of a cell that is being measured say about one objective. None when no more requests would tell."""
    return objective.figure.evidence(objective.limit, counts)


def meets(judgements: list[Judgement]) -> bool | None:
    """All met, one not met, or (None) undecided."""
    statuses = {judgement.status for judgement in judgements}
    if NOT_MET in statuses:
        return False
    return None if UNDECIDED in statuses else True


def good(rows: Rows, objectives: list[Objective]) -> Flags:
    """Which requests gave text within every latency limit; of several limits on one latency the widest counts."""
    flags = rows.text
    for objective in widest(objectives):
        assert objective.percentile is not None
        flags = flags & (rows.number(objective.percentile.latency.column) <= objective.limit)
    return flags


def widest(objectives: Iterable[Objective]) -> list[Objective]:
    """The limits that a good request is within: of each latency's percentiles the one with the widest limit."""
    found: dict[str, Objective] = {}
    for objective in objectives:
        if (asked := objective.percentile) is not None:
            other = found.setdefault(asked.latency.column, objective)
            found[asked.latency.column] = max(other, objective, key=lambda one: one.limit)
    return list(found.values())


__all__ = [
    "MET",
    "NOT_MET",
    "UNDECIDED",
    "Judgement",
    "Objective",
    "Sample",
    "decided",
    "evidence_for",
    "good",
    "judge",
    "meets",
    "objectives_of",
    "percents_of",
    "widest",
]

"""Whether a plan can decide: the fewest requests that can show an objective to be met, beside what each cell may bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fmbench.core.error_limits import fewest
from fmbench.core.estimate import CellEstimate
from fmbench.core.figures.answered import ANSWERED_SHARE
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.objectives import Objective


@dataclass(frozen=True, slots=True)
class Need:
    """The fewest measured requests that can decide ``objective``, and the cells that are expected to bring fewer."""

    objective: Objective
    requests: int
    short: tuple[CellEstimate, ...]


def fewest_to_decide(objective: Objective) -> int | None:
    """How many requests it takes at the very least, when every one is within its limit; None where no number is known before."""
    if objective.percentile is not None:
        return objective.percentile.samples_needed
    if objective.figure is ANSWERED_SHARE:
        return fewest(round(1 - objective.limit, 12))
    return fewest(objective.limit) if objective.figure is ERROR_RATE else None


def needs_of(objectives: Sequence[Objective], rows: Sequence[CellEstimate], warmup_s: float) -> list[Need]:
    """What each objective takes, in the order of the configuration."""
    wanted = ((objective, fewest_to_decide(objective)) for objective in objectives)
    return [
        Need(objective, least, tuple(row for row in rows if _measured(row, warmup_s) < least))
        for objective, least in wanted
        if least is not None
    ]


def _measured(row: CellEstimate, warmup_s: float) -> float:
    """The requests of a cell that are expected after its warm-up."""
    return row.requests * (1 - warmup_s / row.seconds) if row.seconds > warmup_s else 0.0

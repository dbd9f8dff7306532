"""Whether a plan can decide: the fewest requests that can show an objective to be met, beside what each level may bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from fmbench.core.error_limits import fewest
from fmbench.core.estimate import CellEstimate
from fmbench.core.figures.answered import ANSWERED_SHARE
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.objectives import Objective


@dataclass(frozen=True, slots=True)
class Expected:
    """What all repeats of a model, bucket and level together are expected to bring: they are judged as one."""

    row: CellEstimate
    repeats: int
    measured: float
    per_s: float
    """Measured requests a second."""


@dataclass(frozen=True, slots=True)
class Need:
    """The fewest measured requests that can decide ``objective`` (None: no number is known before), and the levels that are
    expected to bring fewer."""

    objective: Objective
    requests: int | None
    short: tuple[Expected, ...]


def fewest_to_decide(objective: Objective) -> int | None:
    """How many requests it takes at the very least, when every one is within its limit; None where no number is known before."""
    if objective.percentile is not None:
        return objective.percentile.samples_needed
    if objective.figure is ANSWERED_SHARE:
        return fewest(round(1 - objective.limit, 12))
    return fewest(objective.limit) if objective.figure is ERROR_RATE else None


def expected_of(rows: Iterable[CellEstimate], warmup_s: float, longest_s: float | None = None) -> list[Expected]:
    """The levels of a plan. ``longest_s``: how long a window goes on that nothing ends before; None: as long as estimated."""
    levels: dict[tuple[str, str, float], list[CellEstimate]] = {}
    for row in rows:
        levels.setdefault((row.cell.model, row.cell.bucket, row.cell.level), []).append(row)
    return [_expected(of_level, warmup_s, longest_s) for of_level in levels.values()]


def _expected(rows: list[CellEstimate], warmup_s: float, longest_s: float | None) -> Expected:
    seconds, requests = fsum(row.seconds for row in rows), sum(row.requests for row in rows)
    per_s = requests / seconds if seconds else 0.0
    if not requests and rows[0].cell.rate_per_min is not None:  # so few a minute that the window is expected to see none
        per_s = rows[0].cell.rate_per_min / 60
    measured = fsum(_measured(row, warmup_s) for row in rows)
    return Expected(rows[0], len(rows), max(measured, per_s * (longest_s or 0.0) * len(rows)), per_s)


def needs_of(objectives: Sequence[Objective], levels: Sequence[Expected]) -> list[Need]:
    """What each objective takes, in the order of the configuration."""
    wanted = [(objective, fewest_to_decide(objective)) for objective in objectives]
    return [
        Need(objective, least, tuple(level for level in levels if least is not None and level.measured < least))
        for objective, least in wanted
    ]


def _measured(row: CellEstimate, warmup_s: float) -> float:
    """The requests of a cell that are expected after its warm-up."""
    return row.requests * (1 - warmup_s / row.seconds) if row.seconds > warmup_s else 0.0

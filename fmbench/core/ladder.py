"""The levels of one model as one question: up to how many users does it meet every objective?

What holds with more users holds with fewer, so levels are asked from the lowest up, and the first that is shown not to meet ends
it: no level above it is claimed, and none is certain above one that fails, or that may well fail. Asked in that fixed order each
level may be tested at the full 2.5 % (Maurer, Hothorn and Lehmacher, 1995). A level above one that is undecided is out of that
order: it counts when it holds at 2.5 % divided by the number of levels, whichever of them it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.results import CellResult
from fmbench.core.samples import TAIL


def reached(levels: Sequence[CellResult]) -> list[CellResult]:
    """Of one model's cells, levels rising: those that are shown to meet every objective, up to the first that fails."""
    found: list[CellResult] = []
    gap = False
    for level in levels:
        if level.meets is False:
            break
        if level.meets and (not gap or _holds(level, TAIL / len(levels))):
            found.append(level)
        gap = gap or level.meets is None
    return found


def most_users(levels: Sequence[CellResult], prefer: str = "cost") -> CellResult | None:
    """The level to run a model at: the most users shown to meet (for throughput: the most transactions a minute). Where the
    lowest level fails, the first that meets beyond any level's chance; None where none does."""
    met = reached(levels)
    if not met:
        return next((level for level in levels if level.meets and _holds(level, TAIL / len(levels))), None)
    if prefer == "throughput":
        return min(met, key=lambda level: TRANSACTIONS.better(level.row))
    return met[-1]


def failing_below(chosen: CellResult, levels: Sequence[CellResult]) -> CellResult | None:
    """The lowest level below the chosen one that is shown not to meet: with fewer users it should. None where there is none."""
    return next((level for level in levels if level.cell.level < chosen.cell.level and level.meets is False), None)


def _holds(level: CellResult, tail: float) -> bool:
    """Whether each objective is met at so small a chance of error."""
    return all(judgement.p is not None and judgement.p <= tail for judgement in level.judgements)

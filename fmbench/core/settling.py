"""What a run could tell, and what it would take to settle what it leaves open, in requests and dollars.

The **least difference seen** is the smallest one that nine of ten such runs would find: its interval's reach (z of 97.5 %, shared
among the rivals), and z of 90 % more for the chance to find it. It is between the winner and the runner-up; where there is no
such pair, between a value and its limit.

What is open takes **requests**, at what was seen: an interval shrinks with their square root (two models: until either a
difference is shown, or that none matters), a limit says itself what it lacks. They cost what the cell's requests did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from scipy import special

from fmbench.core.apart import Apart, apart, wider_for
from fmbench.core.contrast import SMALLEST
from fmbench.core.figures.figure import UNDECIDED, Figure
from fmbench.core.figures.registry import of_objective
from fmbench.core.judging import MOST_TO_ASK_FOR
from fmbench.core.messages import Message
from fmbench.core.objectives import Judgement
from fmbench.core.open_loop import falls_short
from fmbench.core.results import CellResult
from fmbench.core.samples import TAIL

FOUND = 0.9
"""The least difference is found in such a share of runs like this."""


@dataclass(frozen=True, slots=True)
class LeastSeen:
    """The least difference of a figure that would be found: in its own unit, and as a share of the value that was seen."""

    figure: str
    difference: float
    share: float | None
    models: tuple[str, ...]
    """The two models that it is between; of a limit, the model that is held against it."""
    paired: bool = False
    """Whether they were compared by prompt."""
    found: float = FOUND


@dataclass(frozen=True, slots=True)
class Takes:
    """What one open question takes. ``requests`` in all, None when no number of them would tell; ``usd`` None where that or the
    price is not known."""

    model: str
    concurrency: int
    rate_per_min: float | None
    requests: int | None
    usd: float | None
    beside: str | None = None
    """The model that it is to be told from, each with half of the requests; None where it is its objectives that are open."""
    why: Message | None = None
    """What it takes instead where ``requests`` is None; None: it is too close to tell."""


def least_between(winner: CellResult, other: CellResult, figure: Figure, rivals: int = 1) -> LeastSeen | None:
    """The least difference between two models' points; None where there is no interval to tell it from."""
    found = apart(winner, other, figure)
    if found is None or _reach(found) <= 0:
        return None
    wanted = _reach(found) * _at_equality(found) * (wider_for(rivals) + _extra())
    least = max(wanted, SMALLEST * abs(found.value))
    models = (winner.cell.model, other.cell.model)
    return LeastSeen(figure.key, least, _as_share(least, found.value), models, found.paired)


def least_from_limit(found: CellResult) -> LeastSeen | None:
    """The least distance from a limit that would be told, of the objective that is known least well as a share of its value."""
    seen = [one for item in found.judgements if (one := _from_limit(found, item)) is not None]
    return max(seen, key=lambda one: one.share or 0.0, default=None)


def _from_limit(found: CellResult, item: Judgement) -> LeastSeen | None:
    if item.value is None or not item.value or item.ci95 is None:
        return None
    reach = (item.ci95[1] - item.ci95[0]) / 2
    least = reach * (1 + _extra())
    return (
        LeastSeen(of_objective(item.objective).key, least, _as_share(least, item.value), (found.cell.model,))
        if reach > 0
        else None
    )


def to_tell(winner: CellResult, other: CellResult, figure: Figure, rivals: int = 1) -> Takes | None:
    """What it takes until the two are told apart, or shown to differ by less than matters; None where they are."""
    found = apart(winner, other, figure)
    if found is None or not found.value:
        return None
    reach, gap, matters = _reach(found) * wider_for(rivals), abs(found.difference), SMALLEST * abs(found.value)
    room = max(gap if gap >= matters else 0.0, matters - gap)
    if reach <= room:
        return None
    sizes = [figure.count(one.row) for one in (winner, other)]
    more = [math.ceil(size * ((reach / room) ** 2 - 1)) if room > 0 else None for size in sizes]
    known = [number for number in more if number is not None and number <= MOST_TO_ASK_FOR]
    place = (winner.cell.model, winner.cell.concurrency, winner.cell.rate_per_min)
    if len(known) < 2:
        return Takes(*place, None, None, other.cell.model)
    costs = [_cost(one, number) for one, number in zip((winner, other), known, strict=True)]
    total = None if None in costs else math.fsum(cost for cost in costs if cost is not None)
    return Takes(*place, sum(known), total, other.cell.model)


def to_judge(found: CellResult) -> Takes:
    """What it takes until every open objective of a cell is decided."""
    needed = requests_needed(found)
    requests = None if math.isinf(needed) else int(needed)
    usd = None if requests is None else _cost(found, requests)
    why = next(
        (item.why for item in found.judgements if item.status == UNDECIDED and item.requests_needed is None and item.why), None
    )
    return Takes(found.cell.model, found.cell.concurrency, found.cell.rate_per_min, requests, usd, why=why)


def requests_needed(found: CellResult) -> float:
    """The requests until every objective of a cell is decided; infinite when some never will be."""
    needed = [item.requests_needed for item in found.judgements if item.status == UNDECIDED]
    return math.inf if not needed or None in needed else float(max(item for item in needed if item is not None))


def settling_answer(
    winner: CellResult, others: Sequence[CellResult], tied: Sequence[CellResult], figure: Figure, undecided: Sequence[CellResult]
) -> dict[str, Any]:
    """``least_seen`` and ``to_settle`` of a verdict with a winner: ``others`` from the best on, ``undecided`` cells that may
    change it."""
    least = least_between(winner, others[0], figure, len(others)) if others else None
    ties = [to_tell(winner, point, figure, len(others)) for point in tied if point is not winner]
    return _settling(
        least or least_from_limit(winner),
        [*filter(None, ties), *(to_judge(one) for one in undecided if not falls_short(one.cell))],
    )


def settling_none(nearest: CellResult | None, undecided: Sequence[CellResult]) -> dict[str, Any]:
    """The same of a verdict without a winner: each model's cell that lacks the fewest requests is what is open. A rate that could
    not be sent is not: more requests of it would not tell."""
    least = None if nearest is None else least_from_limit(nearest)
    closest: dict[str, CellResult] = {}
    for found in sorted((one for one in undecided if not falls_short(one.cell)), key=requests_needed):
        closest.setdefault(found.cell.model, found)
    return _settling(least, [to_judge(found) for found in closest.values()])


def _settling(least: LeastSeen | None, questions: Sequence[Takes]) -> dict[str, Any]:
    """``to_settle`` is None where nothing is open; its sums are of what can be told, None where nothing can."""
    shown = None if least is None else {**asdict(least), "models": [*least.models]}
    if not questions:
        return {"least_seen": shown, "to_settle": None}
    told = [one for one in questions if one.requests is not None]
    requests = sum(one.requests for one in told if one.requests is not None) if told else None
    whole = {"requests": requests, "usd": _sum(one.usd for one in told)}
    parts = [{**asdict(replace(one, why=None)), "why": one.why} for one in questions]
    return {"least_seen": shown, "to_settle": {**whole, "parts": parts}}


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [*amounts]
    return math.fsum(amount for amount in known if amount is not None) if known and None not in known else None


def _reach(found: Apart) -> float:
    return (found.interval[1] - found.interval[0]) / 2


def _at_equality(found: Apart) -> float:
    """How much shorter the reach would be if the two were equal: a figure is known to a share of its size."""
    return abs(found.value) / max(abs(found.value), abs(found.value + found.difference)) if found.value else 1.0


def _extra() -> float:
    """What a difference has to have beyond the interval's reach to be found, as a share of it."""
    return float(special.ndtri(FOUND) / -special.ndtri(TAIL))


def _as_share(least: float, value: float) -> float | None:
    return least / abs(value) if value else None


def _cost(found: CellResult, requests: int) -> float | None:
    """At what a measured request of the cell cost."""
    total, sent = found.row["usd"], found.row["requests"]
    return None if total is None or not sent else requests * total / sent

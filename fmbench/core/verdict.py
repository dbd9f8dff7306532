"""The decision: which model, at how many users, for prompts of a bucket. Or why there is none.

1. Feasible are the cells that meet every objective. A model's point is the highest level that its ladder shows to meet
   (``core.ladder``; with ``prefer: latency`` the one with the lowest latency).
2. ``prefer`` decides between the models' points: cost (USD for 10,000 answers), latency or throughput.
3. Models whose difference from the best is inside the noise (the 95 % intervals of all rivals together), or under 1 %, are tied:
   the cheapest of them is chosen.
4. Where nothing is feasible there is no recommendation: either no model meets the objectives, and what the nearest fails by is
   said, or it is undecided, and the requests that it would take are said.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from fmbench.core.apart import apart
from fmbench.core.figures.cost import COST
from fmbench.core.figures.figure import Figure
from fmbench.core.ladder import failing_below, most_users, reached
from fmbench.core.messages import Message
from fmbench.core.objectives import NOT_MET, UNDECIDED, Objective
from fmbench.core.ranking import Prefer, figure_for, inside_noise, latency_figure, pareto
from fmbench.core.reasons import (
    Behind,
    Best,
    FailsAbove,
    FailsBelow,
    LimitWouldDecide,
    MayBeBetter,
    NoneMeets,
    NothingAbove,
    NotMeasured,
    OnlyOne,
    Place,
    PriceWouldDecide,
    Settled,
    Tied,
    Undecided,
    UndecidedAbove,
    UndecidedBelow,
)
from fmbench.core.results import CellResult
from fmbench.core.settling import requests_needed, settling_answer, settling_none
from fmbench.core.standing import model_row, nearest_miss, nearest_row, of_model, of_status


def decide(results: list[CellResult], bucket: str, prefer: Prefer, objectives: list[Objective]) -> dict[str, Any]:
    """The verdict for one bucket:
    ``{bucket, status, recommendation, reason, runner_up, models, pareto, nearest, what_would_change, least_seen, to_settle}``.

    ``status`` is recommended, undecided, none_feasible or not_measured; ``recommendation`` is None but for the first.
    """
    here = [found for found in results if found.cell.bucket == bucket]
    judged = [found for found in here if found.cell.complete and found.row["requests"]]
    points = _points(judged, prefer, objectives)
    shared = {
        "bucket": bucket,
        "models": [model_row(name, here, points) for name in _models(here)],
        "pareto": pareto(judged, objectives),
    }
    if points:
        return {**shared, **_recommend(points, judged, bucket, prefer, objectives)}
    return {**shared, "recommendation": None, "runner_up": None, "what_would_change": [], **_no_answer(judged, here, bucket)}


def _models(results: list[CellResult]) -> list[str]:
    return list(dict.fromkeys(found.cell.model for found in results))


def _points(judged: list[CellResult], prefer: Prefer, objectives: list[Objective]) -> list[CellResult]:
    """Each model's operating point; models without a feasible cell have none."""
    feasible = [found for found in judged if found.meets]
    if not feasible:
        return []
    if prefer == "latency":
        figure = latency_figure(objectives, [found.row for found in feasible])
        ladders = [(reached(of_model(judged, model)), most_users(of_model(judged, model))) for model in _models(feasible)]
        return [min(met or [top], key=lambda found: figure.better(found.row)) for met, top in ladders if top is not None]
    return [point for model in _models(judged) if (point := most_users(of_model(judged, model), prefer)) is not None]


def _recommend(
    points: list[CellResult], judged: list[CellResult], bucket: str, prefer: Prefer, objectives: list[Objective]
) -> dict[str, Any]:
    figure, ranked, tied, winner = _choose(points, prefer, objectives)
    others = [point for point in ranked if point is not winner]
    below = _below(winner, judged)
    open_rivals = [*_open_rivals(winner, judged, points, figure), *_unpriced_rivals(winner, others, figure, bool(objectives))]
    runner_up = None if not others else _behind(winner, others[0], figure)
    no_price = prefer == "cost" and figure is not COST
    reason = _reason(winner, tied, runner_up, figure, no_price) if runner_up else _lone_reason(winner, judged)
    reason = replace(reason, asked=bool(objectives))
    recommendation = {
        "model": winner.cell.model,
        "model_id": winner.cell.model_id,
        "bucket": bucket,
        "concurrency": winner.cell.concurrency,
        "rate_per_min": winner.cell.rate_per_min,
        "reason": reason,
        "decided_by": figure.key,
        "tied_with": [point.cell.model for point in tied if point is not winner],
        "cheaper": len(tied) > 1 and _settled_by(winner, tied, figure) == "lower cost",
        "runner_up": None if runner_up is None else _runner_up(runner_up, others[0], figure),
        "certain": not open_rivals and not below,
        "doubts": [*below, *open_rivals],
    }
    return {
        "status": "recommended",
        "recommendation": recommendation,
        "reason": reason,
        "runner_up": recommendation["runner_up"],
        "nearest": None,
        "what_would_change": [
            *below,
            *_above(winner, judged),
            *open_rivals,
            *_tighter(winner, others, judged, prefer, objectives),
        ],
        **settling_answer(
            winner, others, tied, figure, [*_open_cells(winner, judged, points, figure), *_doubted(winner, judged)]
        ),
    }


def _choose(
    points: list[CellResult], prefer: Prefer, objectives: list[Objective]
) -> tuple[Figure, list[CellResult], list[CellResult], CellResult]:
    """What decides between the models' points, the points from the best on, those that cannot be told from it, and the winner."""
    figure = figure_for(prefer, objectives, [point.row for point in points])
    ranked = sorted(points, key=lambda point: figure.better(point.row))
    tied = [point for point in ranked if inside_noise(ranked[0], point, figure, len(ranked) - 1)]
    return figure, ranked, tied, min(tied, key=lambda point: (_cost(point), figure.better(point.row)))


def _place(found: CellResult) -> Place:
    return Place(found.cell.model, found.cell.concurrency, found.cell.rate_per_min)


def _behind(winner: CellResult, other: CellResult, figure: Figure) -> Behind:
    """By how much another model's point is behind the winner's."""
    found = apart(winner, other, figure)
    if found is None:
        return Behind(_place(other), figure, None, None)
    ratio = 1 + found.difference / found.value if found.value else None
    return Behind(_place(other), figure, found.difference, found.interval, ratio, found.paired)


def _runner_up(behind: Behind, other: CellResult, figure: Figure) -> dict[str, Any]:
    """The next best model's point, and by how much it is behind: ``margin`` is its figure minus the winner's."""
    margin = None
    if behind.ci95 is not None:
        ends = list(behind.ci95)
        margin = {"figure": figure.key, "difference": behind.difference, "ci95": ends, "ratio": behind.ratio}
        margin |= {"paired": behind.paired}
    return {
        "model": other.cell.model,
        "model_id": other.cell.model_id,
        "concurrency": other.cell.concurrency,
        "rate_per_min": other.cell.rate_per_min,
        figure.key: figure.interval(other.row)[0],
        "margin": margin,
    }


def _cost(point: CellResult) -> float:
    """What 10,000 answers cost, to nine digits: sums of equal prices differ in the last ones."""
    return float(f"{COST.better(point.row):.9g}")


def _lone_reason(winner: CellResult, judged: list[CellResult]) -> OnlyOne:
    others = [found for found in judged if found.cell.model != winner.cell.model]
    if not others:
        return OnlyOne(_place(winner), "none")
    return OnlyOne(_place(winner), "open" if any(found.meets is None for found in others) else "failed")


def _reason(winner: CellResult, tied: list[CellResult], runner_up: Behind, figure: Figure, no_price: bool) -> Best | Tied:
    value, _ = figure.interval(winner.row)
    rivals = [point for point in tied if point is not winner]
    if not rivals:
        return Best(_place(winner), figure, value, runner_up, no_price)
    return Tied(
        _place(winner), figure, value, tuple(point.cell.model for point in rivals), _settled_by(winner, tied, figure), no_price
    )


def _settled_by(winner: CellResult, tied: list[CellResult], figure: Figure) -> Settled:
    rivals = [point for point in tied if point is not winner]
    costs = [_cost(point) for point in tied]
    if max(costs) == math.inf:
        return "nothing"
    if min(costs) == max(costs):
        return "same cost"
    if not any(inside_noise(winner, rival, COST, len(rivals)) for rival in rivals):
        return "lower cost"
    return "nothing" if figure is COST else "lower cost, inside the noise"


def _doubted(winner: CellResult, judged: list[CellResult]) -> list[CellResult]:
    """The undecided levels below the winner that make it uncertain: what was seen there misses a limit, or they have less than
    half of the requests that it takes. All of them where the winner had to be claimed alone."""
    ladder = of_model(judged, winner.cell.model)
    below = [level for level in ladder if level.cell.level < winner.cell.level and level.meets is None]
    return [level for level in below if not reached(ladder) or _is_doubtful(level)]


def _is_doubtful(level: CellResult) -> bool:
    beyond = any(item.by for item in of_status(level.judgements, UNDECIDED))
    return beyond or requests_needed(level) > level.row["requests"]


def _below(winner: CellResult, judged: list[CellResult]) -> list[Message]:
    """A level with fewer users that is not shown to meet what the winner does."""
    level = failing_below(winner, of_model(judged, winner.cell.model))
    if level is not None:
        return [FailsBelow(_place(level), of_status(level.judgements, NOT_MET))]
    doubted = _doubted(winner, judged)[:1]
    return [UndecidedBelow(_place(level), of_status(level.judgements, UNDECIDED)) for level in doubted]


def _above(winner: CellResult, judged: list[CellResult]) -> list[Message]:
    """What stops the winner from carrying more users."""
    ladder = of_model(judged, winner.cell.model)
    more = [found for found in ladder if found.cell.level > winner.cell.level]
    if not more:
        return [NothingAbove(_place(winner))]
    failed = of_status(more[0].judgements, NOT_MET)
    if failed:
        return [FailsAbove(_place(more[0]), failed)]
    return [UndecidedAbove(_place(more[0]), of_status(more[0].judgements, UNDECIDED))] if more[0].meets is None else []


def _open_rivals(winner: CellResult, judged: list[CellResult], points: list[CellResult], figure: Figure) -> list[Message]:
    """Models that may yet turn out feasible, and would then be better than the winner."""
    nearest = _open_cells(winner, judged, points, figure)
    return [MayBeBetter(_place(found), of_status(found.judgements, UNDECIDED)) for found in nearest]


def _open_cells(winner: CellResult, judged: list[CellResult], points: list[CellResult], figure: Figure) -> list[CellResult]:
    """Of each model that may yet be better than the winner: the cell that lacks the fewest requests."""
    settled = {point.cell.model for point in points}
    found = []
    for model in _models(judged):
        undecided = [cell for cell in of_model(judged, model) if cell.meets is None]
        better = [cell for cell in undecided if figure.better(cell.row) < figure.better(winner.row)]
        if model not in settled and better:
            found.append(min(better, key=requests_needed))
    return found


def _unpriced_rivals(winner: CellResult, others: list[CellResult], figure: Figure, asked: bool) -> list[Message]:
    """Models that meet every objective, where any is ``asked`` for, and whose price would decide if it were known."""
    own, _ = figure.interval(winner.row)
    if figure is not COST or own is None:
        return []
    unknown = [other.cell.model for other in others if COST.measured(other.row) is None]
    return [PriceWouldDecide(model, own, asked) for model in unknown]


def _tighter(
    winner: CellResult, others: list[CellResult], judged: list[CellResult], prefer: Prefer, objectives: list[Objective]
) -> list[Message]:
    """Latency limits with which another model would be chosen: tried, each alone, on all cells that the verdict looks at."""
    said: list[Message] = []
    for objective in objectives:
        limited = objective.percentile
        faster = [] if limited is None else [other for other in others if limited.better(other.row) < limited.better(winner.row)]
        for limit in _limits_below(winner, judged, objective) if faster else ():
            instead = _chosen_with(replace(objective, limit=limit), judged, prefer, objectives)
            if instead is not None and instead.cell.model != winner.cell.model:
                said.append(LimitWouldDecide(objective.name, limit, objective.limit, _place(instead)))
                break
    return said


def _limits_below(winner: CellResult, judged: list[CellResult], objective: Objective) -> list[float]:
    """The limits to try: just below what the winner's point has, and just below the least that its model has at any level."""
    values = [objective.figure.interval(found.row)[0] for found in (winner, *of_model(judged, winner.cell.model))]
    known = [value for value in values if value is not None]
    if not known:
        return []
    tried = [_rounded_down(0.98 * value) for value in (known[0], min(known))]
    return [limit for limit in dict.fromkeys(tried) if 0 < limit < objective.limit]


def _rounded_down(value: float) -> float:
    """To two significant digits: a limit as somebody would write it."""
    size = 10.0 ** (math.floor(math.log10(value)) - 1) if value > 0 else 1.0
    return float(f"{math.floor(value / size) * size:.6g}")


def _chosen_with(changed: Objective, judged: list[CellResult], prefer: Prefer, objectives: list[Objective]) -> CellResult | None:
    """The winner if one objective had another limit; None when there would be none."""
    asked = [changed if objective.name == changed.name else objective for objective in objectives]
    points = _points([found.judged_with(changed) for found in judged], prefer, asked)
    return _choose(points, prefer, asked)[3] if points else None


def _no_answer(judged: list[CellResult], here: list[CellResult], bucket: str) -> dict[str, Any]:
    if not judged:
        why = next((found.cell.reason for found in here if found.cell.reason), None)
        idle = next((found.cell for found in here if found.cell.idle), None)
        if why is None and idle is not None:
            why = f"no request was {'sent' if idle.rate_per_min is None else 'due'} in so short a window"
        return {"status": "not_measured", "reason": NotMeasured(bucket, why), "nearest": None, **settling_none(None, [])}
    undecided = [found for found in judged if found.meets is None]
    if undecided:
        best = min(undecided, key=requests_needed)
        reason: Message = Undecided(_place(best), of_status(best.judgements, UNDECIDED))
        return {"status": "undecided", "reason": reason, "nearest": nearest_row(best), **settling_none(best, undecided)}
    best = nearest_miss(judged) or judged[0]
    reason = NoneMeets(_place(best), of_status(best.judgements, NOT_MET))
    return {"status": "none_feasible", "reason": reason, "nearest": nearest_row(best), **settling_none(best, [])}

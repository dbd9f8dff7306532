"""How each model stands in a bucket: the level that it is compared by, the most users within all limits, and the nearest miss."""

from __future__ import annotations

from typing import Any

from fmbench.core.figures.cost import COST
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.ladder import most_users
from fmbench.core.objectives import NOT_MET, UNDECIDED, Judgement
from fmbench.core.results import CellResult
from fmbench.core.settling import requests_needed


def of_model(results: list[CellResult], model: str) -> list[CellResult]:
    """A model's cells, levels rising."""
    return sorted((found for found in results if found.cell.model == model), key=lambda found: found.cell.level)


def of_status(judgements: list[Judgement], status: str) -> tuple[Judgement, ...]:
    """The judgements of one status."""
    return tuple(judgement for judgement in judgements if judgement.status == status)


def nearest_miss(judged: list[CellResult]) -> CellResult | None:
    """Of cells among which no level can be claimed the one that stands in the way: a level that meets above one that is open, or
    that fails, is no miss. None where there is no cell."""
    return min((found for found in judged if found.meets is not True), key=distance, default=None)


def nearest_row(found: CellResult) -> dict[str, Any]:
    """A cell that stands nearest: what it fails, what is open, and the requests that this takes."""
    return {
        "model": found.cell.model,
        "model_id": found.cell.model_id,
        "concurrency": found.cell.concurrency,
        "rate_per_min": found.cell.rate_per_min,
        "fails": [item.to_dict() for item in of_status(found.judgements, NOT_MET)],
        "undecided": [item.to_dict() for item in of_status(found.judgements, UNDECIDED)],
        "requests_needed": None if (needed := requests_needed(found)) == float("inf") else int(needed),
    }


def model_row(model: str, here: list[CellResult], points: list[CellResult]) -> dict[str, Any]:
    """How one model stands in a bucket: ``highest_concurrency`` and its throughput are of the most users within all limits,
    ``point`` is the level at which it is compared with others, None where it meets at none."""
    ladder = of_model(here, model)
    point = next((found for found in points if found.cell.model == model), None)
    judged = [found for found in ladder if found.cell.complete and found.row["requests"]]
    top = most_users(judged)
    closest = top or nearest_miss(judged)
    return {
        "model": model,
        "model_id": ladder[0].cell.model_id,
        "status": "not_measured" if closest is None else {True: "met", False: "not_met", None: "undecided"}[closest.meets],
        "highest_concurrency": None if top is None else top.cell.concurrency,
        "highest_rate_per_min": None if top is None else top.cell.rate_per_min,
        "point": None if point is None else {"concurrency": point.cell.concurrency, "rate_per_min": point.cell.rate_per_min},
        TRANSACTIONS.key: None if top is None else TRANSACTIONS.interval(top.row)[0],
        COST.key: None if closest is None else COST.interval(closest.row)[0],
        "closest": None if closest is None else nearest_row(closest),
        "levels": {f"{found.cell.level:.10g}": found.meets for found in ladder},
    }


def distance(found: CellResult) -> tuple[bool, float, int, float]:
    """How near a cell is to meeting every objective: first those that are undecided, by the requests that they lack; then those
    that fail, by how many objectives and by how much."""
    fails = len(of_status(found.judgements, NOT_MET))
    return (found.meets is False, requests_needed(found) if found.meets is None else 0.0, fails, _excess(found))


def _excess(found: CellResult) -> float:
    """How far a cell is beyond its worst objective, as a share of the limit."""
    return max((item.by or 0.0 for item in of_status(found.judgements, NOT_MET)), default=float("inf"))

"""The searches of a run, from its configuration and the lines of ``cells.jsonl``: pure, so that a report or a resumed run can
go through them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fmbench.core.search import Found, Search, SearchSpec
from fmbench.core.sequential import Evidence

Arm = tuple[str, str]
"""A model and a bucket: each has a search of its own."""


def spec_of(asked: Mapping[str, Any]) -> SearchSpec:
    """What ``load.search`` of a resolved configuration asks for."""
    return SearchSpec(
        lowest=float(asked["start"]),
        highest=float(asked["end"]),
        tolerance=asked["tolerance"],
        confidence=asked["confidence"],
        most_requests=asked["most_requests"],
        whole=asked["of"] == "users",
    )


def visit_row(requests: int, evidence: Evidence) -> dict[str, Any]:
    """What a line of ``cells.jsonl`` keeps of a step."""
    return {"requests": requests, "met": evidence.met, "not_met": evidence.not_met, "lean": evidence.lean}


def replayed(asked: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> Search:
    """A search as far as the lines of its arm bring it."""
    search = Search(spec_of(asked))
    for line in lines:
        if line["status"] == "complete" and line.get("search"):
            search.next()
            search.observe(level_of(asked, line), line["search"]["requests"], _evidence(line["search"]))
    return search


def level_of(asked: Mapping[str, Any], line: Mapping[str, Any]) -> float:
    """The level that a line's cell is of, in the search's own terms."""
    return float(line["rate_per_min"] if asked["of"] == "rate" else line["concurrency"])


def _evidence(row: Mapping[str, Any]) -> Evidence:
    return Evidence(row["met"], row["not_met"], row["lean"])


def search_rows(load: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """``summary.json``'s ``search``: an item a model and bucket; empty when none was asked for.

    ``ci95``: the highest level that is shown to meet all objectives (0: none), and the lowest that is shown not to (None: none).
    ``requests``: those that showed it, as a step ends at once when it has shown enough; ``sent``: with those that were in flight
    by then, and warm-ups. ``limit`` is None where not even the lowest level meets them, and where the search was cut
    (``finished`` false).
    """
    asked = load.get("search")
    if not asked or asked["of"] == "quota":
        return []
    arms: dict[Arm, list[Mapping[str, Any]]] = {}
    for line in lines:
        arms.setdefault((line["model"], line["bucket"]), []).append(line)
    return [_row(arm, asked, of_arm) for arm, of_arm in arms.items()]


def _row(arm: Arm, asked: Mapping[str, Any], lines: list[Mapping[str, Any]]) -> dict[str, Any]:
    search = replayed(asked, lines)
    found = search.next()
    finished = isinstance(found, Found)
    result = found if isinstance(found, Found) else search.so_far()
    return {
        "model": arm[0],
        "bucket": arm[1],
        "of": asked["of"],
        "limit": result.limit if finished else None,
        "ci95": list(result.interval),
        "confidence": asked["confidence"],
        "finished": finished,
        "requests": result.requests,
        "sent": sum(each["sent"] for line in lines for each in (line.get("workers") or {}).values()),
        "grid_requests": result.grid_requests,
        "steps": [
            {"level": step.level, "purpose": step.purpose, "requests": step.requests, "met": step.met} for step in result.steps
        ],
    }

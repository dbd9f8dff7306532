"""The dry run's word on whether the plan can decide: what each objective takes, and which cells are too short for it."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.config.schema import Config
from fmbench.core.deciding import Need, needs_of
from fmbench.core.estimate import Estimate
from fmbench.core.objectives import objectives_of
from fmbench.report.wording import level_text

NAMED = 3
"""So many cells are named; the others are counted."""


def decidable(config: Config, estimate: Estimate) -> Iterator[str]:
    """A line an objective that takes a known number of requests at least."""
    if config.load.search is not None:
        return
    for need in needs_of(objectives_of(config.objectives.model_dump()), estimate.rows, config.load.warmup_s):
        asked = f"{need.objective.name} {need.objective.limit:g}"
        yield f"{asked} takes {need.requests:,} measured requests at least; {_short(need, estimate)}"


def _short(need: Need, estimate: Estimate) -> str:
    if not need.short:
        return "every cell is expected to bring them."
    cells = [f"{row.cell.model} {row.cell.bucket} {_level(row.cell.concurrency, row.cell.rate_per_min)}" for row in need.short]
    more = f" and {len(cells) - NAMED} more" if len(cells) > NAMED else ""
    share = "no cell is" if len(cells) == len(estimate.rows) else f"{len(cells)} of {len(estimate.rows)} cells are not"
    cure = f"set load.min_requests: {need.requests} (and load.max_duration_s to let the window grow), or load.until: decided"
    return f"{share} expected to bring them ({', '.join(cells[:NAMED])}{more}): {cure}."


def _level(concurrency: int, rate_per_min: float | None) -> str:
    return f"at {level_text(concurrency, rate_per_min)}"

"""Models that met a quota: then the quota was measured, not the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Level, Message, ModelName
from fmbench.core.results import by_model

THROTTLED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Throttled(Message):
    """From which level on, and how much at worst."""

    says: ClassVar[str] = (
        "{model} was throttled from {users} on (up to {percent:.0f} % of the requests): the limit is the quota, not the model. "
        "Ask for a higher quota, lower max_tokens, or read the levels below."
    )
    model: ModelName
    users: Level
    percent: float


def throttled(evidence: Evidence) -> Iterator[Finding]:
    """Whether quotas were met."""
    for model, cells in by_model(evidence.measured).items():
        hit = [found for found in cells if (found.row["throttled_share"] or 0) > THROTTLED_SHARE]
        if hit:
            lowest = min((found.cell for found in hit), key=lambda cell: cell.level)
            worst = max(found.row["throttled_share"] for found in hit)
            level = Level(lowest.concurrency, lowest.rate_per_min)
            yield Finding(NOTE, "throttling", Throttled(ModelName(model), level, 100 * worst))


CHECKS = (throttled,)

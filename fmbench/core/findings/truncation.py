"""Answers that ended because they reached max_tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Message, ModelName, Several
from fmbench.core.records import ended_at_max_tokens
from fmbench.core.results import by_model

TRUNCATED_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Cut(Message):
    """What share of the answers of some models."""

    says: ClassVar[str] = "{percent} % of the answers of {models}"
    percent: int
    models: Several


@dataclass(frozen=True, slots=True)
class Truncated(Message):
    """Models by that share."""

    says: ClassVar[str] = "{shares} ended at max_tokens. Raise inference.max_tokens if whole answers are wanted."
    shares: Several


def truncated(evidence: Evidence) -> Iterator[Finding]:
    """Whether answers are whole."""
    groups: dict[int, list[ModelName]] = {}
    for model, cells in by_model(evidence.measured).items():
        answers = sum(found.row["ok"] for found in cells)
        cut = sum(ended_at_max_tokens(found.row["stop_reasons"]) for found in cells)
        if answers and cut / answers > TRUNCATED_SHARE:
            groups.setdefault(round(100 * cut / answers), []).append(ModelName(model))
    if groups:
        shares = tuple(Cut(percent, Several(tuple(models))) for percent, models in groups.items())
        yield Finding(NOTE, "answers", Truncated(Several(shares)))


CHECKS = (truncated,)

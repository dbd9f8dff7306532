"""Answers that ended because they reached max_tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Message, ModelName
from fmbench.core.records import ended_at_max_tokens
from fmbench.core.results import by_model

TRUNCATED_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Truncated(Message):
    """What share of a model's answers."""

    says: ClassVar[str] = (
        "{percent:.0f} % of the answers of {model} ended at max_tokens. Raise inference.max_tokens if whole answers are wanted."
    )
    percent: float
    model: ModelName


def truncated(evidence: Evidence) -> Iterator[Finding]:
    """Whether answers are whole."""
    for model, cells in by_model(evidence.measured).items():
        answers = sum(found.row["ok"] for found in cells)
        cut = sum(ended_at_max_tokens(found.row["stop_reasons"]) for found in cells)
        if answers and cut / answers > TRUNCATED_SHARE:
            yield Finding(NOTE, "answers", Truncated(100 * cut / answers, ModelName(model)))


CHECKS = (truncated,)

"""Requests that failed: what the service said, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.cures import in_words
from fmbench.core.failures import PERMANENT, THROTTLES
from fmbench.core.findings.finding import NOTE, WARNING, Evidence, Finding
from fmbench.core.messages import Message, ModelName
from fmbench.core.results import CellResult, by_model

FAILED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Failed(Message):
    """How many of a model's measured requests failed, throttled ones aside, with what was said the most often, by kind."""

    says: ClassVar[str] = "{failed:,} of {requests:,} measured requests to {model} failed: {words}."
    model: ModelName
    failed: int
    requests: int
    words: str


def failed(evidence: Evidence) -> Iterator[Finding]:
    """Whether requests failed, and what was said; a refusal that the next request would meet again is a warning.

    Of cells that are not judged the reason says it.
    """
    for model, cells in by_model([found for found in evidence.measured if found.cell.complete]).items():
        kinds = sum((Counter(found.row["failures"]) for found in cells), Counter[str]())
        kinds = Counter({kind: count for kind, count in kinds.items() if kind not in THROTTLES})
        asked = sum(found.row["requests"] for found in cells)
        if kinds.total() > FAILED_SHARE * asked:
            severity = WARNING if kinds.keys() & PERMANENT else NOTE
            words = in_words(kinds, {kind: _said(cells, kind) for kind in kinds})
            yield Finding(severity, "failed requests", Failed(ModelName(model), kinds.total(), asked, words))


def _said(cells: list[CellResult], kind: str) -> str:
    """What was said most often with a kind of failure."""
    said = Counter[str]()
    for found in cells:
        rows = found.cell.rows
        said.update(rows.words["message"][rows.measured & rows.words["failure"].is_(kind)].counts())
    return min(said, key=lambda words: (-said[words], words), default="")


CHECKS = (failed,)

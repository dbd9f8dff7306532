"""Models that think before they answer: their first token is not what a reader waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Message, ModelName
from fmbench.core.results import CellResult, by_model

NOTABLE = 1.2
"""So many times as long to the first visible text as to the first token is worth saying."""


@dataclass(frozen=True, slots=True)
class ThinksFirst(Message):
    """Medians of the cell where they are furthest apart."""

    says: ClassVar[str] = (
        "{model} thinks before it answers: half of its answers begin within {first_s:.3g} s, and show text within {text_s:.3g} "
        "s. TTFT is the former; a reader waits for the latter, which objectives.ttft_text_p95_s judges."
    )
    model: ModelName
    first_s: float
    text_s: float


def thinks_first(evidence: Evidence) -> Iterator[Finding]:
    """Whether the time to the first token stands for the time to the first text."""
    for model, cells in by_model(evidence.measured).items():
        medians = [both for found in cells if (both := _medians(found)) is not None]
        if not medians:
            continue
        first, text = max(medians, key=lambda both: both[1] / both[0])
        if text > NOTABLE * first:
            yield Finding(NOTE, "thinking", ThinksFirst(ModelName(model), first, text))


def _medians(found: CellResult) -> tuple[float, float] | None:
    """(to the first token, to the first text); None where a cell has not both."""
    first, text = (found.row[name].get("p50") for name in ("ttft_s", "ttft_text_s"))
    return (first, text) if first and text else None


CHECKS = (thinks_first,)

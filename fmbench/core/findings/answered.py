"""Whole answers that gave no text: empty, reasoning alone, broken off or filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import WARNING, Evidence, Finding
from fmbench.core.messages import Message, ModelName
from fmbench.core.results import by_model

NOTABLE = 0.05
"""The share of a model's answers without text from which on it is said."""
_WORDS = {"reasoning_only": "reasoning alone", "empty": "empty", "cut": "broken off", "filtered": "filtered"}
_CURES = {
    "reasoning_only": "raise inference.max_tokens, or ask for less reasoning",
    "empty": "look at the prompts and the stop reasons",
    "cut": "look at the stop reasons; a full context window takes shorter prompts",
    "filtered": "look at the prompts and the guardrail",
}


@dataclass(frozen=True, slots=True)
class WithoutText(Message):
    """What share of a model's answers."""

    says: ClassVar[str] = (
        "{percent:.0f} % of the answers of {model} gave no text ({kinds}): they count as answered in latency and cost, "
        "not in goodput and the cost of good answers. Most are {most}: {cure}."
    )
    percent: float
    model: ModelName
    kinds: str
    most: str
    cure: str


def without_text(evidence: Evidence) -> Iterator[Finding]:
    """Whether answers say anything."""
    for model, cells in by_model(evidence.measured).items():
        found = Counter[str]()
        for result in cells:
            found.update(result.row["answered"])
        rest = Counter({word: number for word, number in found.items() if word in _WORDS})
        if rest and rest.total() / found.total() > NOTABLE:
            yield Finding(WARNING, "answers", _said(model, rest, found.total()))


def _said(model: str, rest: Counter[str], answers: int) -> WithoutText:
    kinds = ", ".join(f"{number:,} {_WORDS[word]}" for word, number in rest.most_common())
    most = rest.most_common(1)[0][0]
    return WithoutText(100 * rest.total() / answers, ModelName(model), kinds, _WORDS[most], _CURES[most])


CHECKS = (without_text,)

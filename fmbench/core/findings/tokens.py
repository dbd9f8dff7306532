"""The local count that put prompts into buckets, against the service's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Message, ModelName, Several
from fmbench.core.results import token_ratios

TOKEN_RATIO = 0.1


@dataclass(frozen=True, slots=True)
class Ratio(Message):
    """How many times as many tokens some models count."""

    says: ClassVar[str] = "{ratio} times as many on {models}"
    ratio: str
    models: Several


@dataclass(frozen=True, slots=True)
class OtherCounts(Message):
    """Models by their ratio."""

    says: ClassVar[str] = (
        "The service counts other numbers of prompt tokens than the local tokenizer that made the buckets: {ratios}. "
        "Read a bucket as a group of prompts, not as a model's own token counts."
    )
    ratios: Several


def token_count(evidence: Evidence) -> Iterator[Finding]:
    """Whether buckets mean what they say to the service."""
    groups: dict[str, list[ModelName]] = {}
    for model, ratio in token_ratios(evidence.measured).items():
        if abs(ratio - 1) > TOKEN_RATIO:
            groups.setdefault(f"{ratio:.2f}", []).append(ModelName(model))
    if groups:
        ratios = tuple(Ratio(ratio, Several(tuple(models))) for ratio, models in groups.items())
        yield Finding(NOTE, "tokens", OtherCounts(Several(ratios)))


CHECKS = (token_count,)

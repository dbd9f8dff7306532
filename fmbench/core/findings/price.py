"""Models whose cost is not known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Message, ModelName, Several
from fmbench.core.results import by_model


@dataclass(frozen=True, slots=True)
class PriceUnknown(Message):
    """Which models."""

    says: ClassVar[str] = "The price of {models} is not known, so no cost is given. Set it in the configuration's pricing."
    models: Several


def no_price(evidence: Evidence) -> Iterator[Finding]:
    """Whether every model has a price."""
    models = tuple(
        ModelName(model)
        for model, cells in by_model(evidence.measured).items()
        if any(found.row["ok"] and found.row["usd"] is None for found in cells)
    )
    if models:
        yield Finding(NOTE, "price", PriceUnknown(Several(models)))


CHECKS = (no_price,)

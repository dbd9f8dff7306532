"""Thinking as it is: when anything came and when text did, what reasoning took and cost, and answers that never came to text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fmbench.core.bill import kind_costs
from fmbench.core.cells import MeasuredCell
from fmbench.core.failures import Answered
from fmbench.core.prices.price import Price
from fmbench.core.quantiles import Floats
from fmbench.core.statistics import describe, finite, share
from fmbench.core.table import Flags, Rows

WITHOUT_TEXT = (Answered.REASONING_ONLY, Answered.EMPTY)


@dataclass(frozen=True, slots=True)
class Thinking:
    """One cell's measured answers. None: the service did not say, or the price is not known."""

    model: str
    bucket: str
    concurrency: int
    rate_per_min: float | None
    answers: int
    ttft_s: dict[str, Any]
    ttft_text_s: dict[str, Any]
    """Both are described as latencies are; an answer that has no text is in the first alone."""
    differ: bool
    """Whether any answer's first visible text came after its first token."""
    reasoning_tokens_mean: float | None
    reasoning_usd_mean: float | None
    """USD of one answer's reasoning tokens, at the rate of output tokens."""
    without_text: dict[str, Any]
    """The share of the answers that gave reasoning alone, or nothing: value, n, ci95."""
    answered: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the summary."""
        return asdict(self)


def thinking_of(cell: MeasuredCell, price: Price | None) -> Thinking | None:
    """What the answers of a cell show; None where nothing in them was thought, and all of them are text."""
    answers = cell.rows[cell.rows.measured & cell.rows.ok]
    reasoning = answers.number("reasoning_tokens")
    differ = bool((answers.number("ttft_text_s") > answers.number("ttft_s")).any())
    textless = _without_text(answers)
    if not (differ or textless.any() or (reasoning > 0).any()):
        return None
    known = answers.words["answered"].codes >= 0
    return Thinking(
        model=cell.model,
        bucket=cell.bucket,
        concurrency=cell.concurrency,
        rate_per_min=cell.rate_per_min,
        answers=len(answers),
        ttft_s=describe(answers.number("ttft_s"), answers.common),
        ttft_text_s=describe(answers.number("ttft_text_s"), answers.common),
        differ=differ,
        reasoning_tokens_mean=_mean(reasoning),
        reasoning_usd_mean=None if price is None else _mean(_dollars(answers, price)),
        without_text=share(textless[known], answers[known].common),
        answered=answers.words["answered"].counts(),
    )


def _without_text(answers: Rows) -> Flags:
    found = np.zeros(len(answers), dtype=bool)
    for word in WITHOUT_TEXT:
        found |= answers.words["answered"].is_(word)
    return found


def _dollars(answers: Rows, price: Price) -> Floats:
    """USD of each answer's reasoning tokens: their part of what its output cost."""
    reasoning, output = answers.number("reasoning_tokens"), answers.number("output_tokens")
    part = np.divide(reasoning, output, out=np.full(len(answers), np.nan), where=output > 0)
    return np.asarray(kind_costs(answers, price)["output"] * part)


def _mean(values: Floats) -> float | None:
    values = values[~np.isnan(values)]
    return finite(values.mean()) if len(values) else None

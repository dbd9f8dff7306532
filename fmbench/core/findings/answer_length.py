"""Models that answer at different length: end-to-end latency and cost then compare unlike work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Message, ModelName
from fmbench.core.results import by_model

LENGTH_RATIO = 1.3
CURE = "Compare end-to-end latency at equal length (the fitted line), or TPOT."


@dataclass(frozen=True, slots=True)
class UnlikeLengths(Message):
    """The bucket where they differ."""

    says: ClassVar[str] = (
        "Models answer at different length: {longest} with {ratio:.1f} times as many tokens as {shortest} ({bucket}). " + CURE
    )
    longest: ModelName
    ratio: float
    shortest: ModelName
    bucket: str


@dataclass(frozen=True, slots=True)
class UnlikeLengthsInSeveral(Message):
    """The bucket where they differ most, of several."""

    says: ClassVar[str] = (
        "Models answer at different length: {longest} with {ratio:.1f} times as many tokens as {shortest} "
        "(most in {bucket}, of {buckets} buckets). " + CURE
    )
    longest: ModelName
    ratio: float
    shortest: ModelName
    bucket: str
    buckets: int


def unlike_lengths(evidence: Evidence) -> Iterator[Finding]:
    """Whether models do like work."""
    unlike: list[tuple[str, str, float, str]] = []
    for bucket in dict.fromkeys(found.cell.bucket for found in evidence.measured):
        cells = by_model(
            [found for found in evidence.measured if found.cell.bucket == bucket and found.row["output_tokens_mean"]]
        )
        means = {model: float(np.mean([found.row["output_tokens_mean"] for found in of])) for model, of in cells.items()}
        if len(means) > 1 and max(means.values()) > LENGTH_RATIO * min(means.values()):
            longest, shortest = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
            unlike.append((bucket, longest, means[longest] / means[shortest], shortest))
    if unlike:
        bucket, longest, ratio, shortest = max(unlike, key=lambda found: found[2])
        facts = (ModelName(longest), ratio, ModelName(shortest), bucket)
        one = len(unlike) == 1
        message: Message = UnlikeLengths(*facts) if one else UnlikeLengthsInSeveral(*facts, len(unlike))
        yield Finding(NOTE, "answer length", message)


CHECKS = (unlike_lengths,)

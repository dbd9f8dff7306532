"""Half-open buckets of prompt tokens, under FMBench's names: ``en_500-1000`` holds 500 ≤ tokens < 1000."""

from __future__ import annotations

from dataclasses import dataclass

from fmbench.config.schema import Dataset, range_of


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A language and a half-open range of tokens, ``[low, high)``."""

    language: str
    low: int
    high: int

    @property
    def name(self) -> str:
        return f"{self.language}_{self.low}-{self.high}"

    def holds(self, language: str, tokens: int) -> bool:
        """Whether a prompt of ``tokens`` tokens in ``language`` belongs here."""
        return self.language == language and self.low <= tokens < self.high


def buckets_of(dataset: Dataset) -> list[TokenBucket]:
    """Every asked range of every asked language, in the configuration's order. Ranges may overlap."""
    return [TokenBucket(language, *range_of(text)) for language in dataset.languages for text in dataset.buckets]


def place(buckets: list[TokenBucket], language: str, tokens: int) -> tuple[list[TokenBucket], str]:
    """The buckets that hold a prompt; and where there are none, why: ``too short``, ``too long`` or ``between buckets``."""
    holding = [bucket for bucket in buckets if bucket.holds(language, tokens)]
    if holding:
        return holding, ""
    if tokens >= max(bucket.high for bucket in buckets):
        return [], "too long"
    if tokens < min(bucket.low for bucket in buckets):
        return [], "too short"
    return [], "between buckets"

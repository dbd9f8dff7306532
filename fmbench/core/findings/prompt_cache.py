"""Tokens read from a prompt cache although each prompt was salted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import WARNING, Evidence, Finding
from fmbench.core.messages import Message


@dataclass(frozen=True, slots=True)
class CachedAnyway(Message):
    """How many tokens."""

    says: ClassVar[str] = (
        "{tokens:,} prompt tokens came from a cache although every prompt was salted: latency and cost are flattered. "
        "Look for a guardrail, router or system prompt that is cached."
    )
    tokens: int


def cached(evidence: Evidence) -> Iterator[Finding]:
    """Whether salting kept prompts out of caches."""
    tokens = sum(found.row["cache_read_tokens"] or 0 for found in evidence.measured)
    if tokens and evidence.config.get("cache", "salt") == "salt":
        yield Finding(WARNING, "prompt cache", CachedAnyway(tokens))


CHECKS = (cached,)

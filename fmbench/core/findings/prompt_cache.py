"""Prompts that a cache answered although none was meant to, and hits that were meant and did not come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from fmbench.core.findings.finding import NOTE, WARNING, Evidence, Finding, names_of
from fmbench.core.messages import Message, Several
from fmbench.core.results import CellResult

HIT_SHARE = 0.95
"""So many answers of a cell have to have read the cache for its figures to be those of hits."""


@dataclass(frozen=True, slots=True)
class CachedAnyway(Message):
    """How many tokens."""

    says: ClassVar[str] = (
        "{tokens:,} prompt tokens of {cells} came from a cache although every prompt was salted: latency and cost are flattered. "
        "Look for a guardrail, router or system prompt that is cached."
    )
    tokens: int
    cells: Several


@dataclass(frozen=True, slots=True)
class NotCold(Message):
    """How many tokens of a run that meant to be cold, or to write."""

    says: ClassVar[str] = (
        "{tokens:,} prompt tokens of {cells} came from a cache although cache.mode is {mode}: latency and cost are those of hits "
        "in part. The model caches unasked, or its system prompt was in a cache: give it one that no other run has sent."
    )
    tokens: int
    cells: Several
    mode: str


@dataclass(frozen=True, slots=True)
class NotHit(Message):
    """Cells whose answers did not read the cache."""

    says: ClassVar[str] = (
        "Fewer than {share:.0%} of the answers of {cells} read the prompt cache although cache.mode is hit: their figures are "
        "not those of hits. The shared part may be shorter than what the model caches (512 to 4,096 tokens), or the warm-up "
        "too short."
    )
    share: float
    cells: Several


@dataclass(frozen=True, slots=True)
class CachesUnasked(Message):
    """How many tokens, where prompts went out as they are."""

    says: ClassVar[str] = (
        "{tokens:,} prompt tokens of {cells} came from a cache: with cache: allow, repeated prompts are answered faster."
    )
    tokens: int
    cells: Several


def cached(evidence: Evidence) -> Iterator[Finding]:
    """Whether prompts were kept out of caches, or let in, as it was meant."""
    for mode, results in _by_mode(evidence).items():
        yield from _of_mode(mode, results)


def _by_mode(evidence: Evidence) -> dict[str, list[CellResult]]:
    """The cells by what their models' prompts are to do with caches."""
    own = {model.get("label") or model.get("id"): model.get("cache") for model in evidence.config.get("models") or []}
    found: dict[str, list[CellResult]] = {}
    for result in evidence.measured:
        cache: Any = own.get(result.cell.model) or evidence.config.get("cache", "salt")
        mode = cache.get("mode", "hit") if isinstance(cache, Mapping) else cache
        found.setdefault(mode, []).append(result)
    return found


def _of_mode(mode: str, results: list[CellResult]) -> Iterator[Finding]:
    tokens = sum(found.row["cache_read_tokens"] or 0 for found in results)
    cells = names_of([found for found in results if found.row["cache_read_tokens"]])
    if tokens and mode == "salt":
        yield Finding(WARNING, "prompt cache", CachedAnyway(tokens, cells))
    elif tokens and mode in ("cold", "write"):
        yield Finding(WARNING, "prompt cache", NotCold(tokens, cells, mode))
    elif tokens and mode == "allow":
        yield Finding(NOTE, "prompt cache", CachesUnasked(tokens, cells))
    elif mode == "hit":
        yield from _missed(results)


def _missed(results: list[CellResult]) -> Iterator[Finding]:
    cold = [found for found in results if found.row["ok"] and found.cell.read_from_cache < HIT_SHARE]
    if cold:
        yield Finding(WARNING, "prompt cache", NotHit(HIT_SHARE, names_of(cold)))


CHECKS = (cached,)

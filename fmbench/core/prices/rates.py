"""Rates, and what a request costs at them. USD for a million tokens, as exact decimals.

Bedrock's ``inputTokens`` leaves out tokens read from or written to a prompt cache, so the counts of a request are disjoint and
each is multiplied by its own rate. The tokens written for an hour are among the written ones.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal

from fmbench.core.records import Usage

MILLION = Decimal(1_000_000)
NOTHING = Decimal(0)
KINDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
"""The kinds of token that have a rate each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """One rate a kind of token. None: not known, and a request with such tokens has no price."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None

    def cost(self, kind: str, tokens: int) -> Decimal | None:
        """USD of so many tokens of one kind; None for an unknown rate, 0 for no tokens."""
        if not tokens:
            return NOTHING
        rate: Decimal | None = getattr(self, kind)
        return None if rate is None else rate * tokens / MILLION

    def dearest_in(self, an_hour: bool) -> Decimal:
        """The most that a token of a prompt can cost, with or without caching for an hour."""
        rates = [self.input, self.cache_read, self.cache_write, self.cache_write_1h if an_hour else None]
        return max(rate for rate in rates if rate is not None)

    def to_dict(self) -> dict[str, float | None]:
        """The rates as numbers."""
        rates = {kind.name: getattr(self, kind.name) for kind in fields(self)}
        return {name: None if rate is None else float(rate) for name, rate in rates.items()}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rates by the length of the prompt: above a step's start its rates hold for the whole request, cached tokens and answer
    included.

    A step without rates: prompts that long are billed otherwise, and how is not known.
    """

    base: Rates
    steps: tuple[tuple[int, Rates | None], ...] = ()

    def at(self, prompt_tokens: int) -> Rates | None:
        """What holds for a request with so many prompt tokens, cached ones included."""
        if not self.steps:
            return self.base
        return next((rates for start, rates in reversed(self.steps) if prompt_tokens > start), self.base)

    def usd(self, usage: Usage) -> Decimal | None:
        """USD of a request; None when a count or a rate that is needed is not known. What ``parts`` adds up to."""
        counts, rates = self._billed(usage)
        if rates is None:
            return None
        total = NOTHING
        for kind, tokens in counts.items():
            if tokens:
                rate: Decimal | None = getattr(rates, kind)
                if rate is None:
                    return None
                total += rate * tokens
        return total / MILLION

    def parts(self, usage: Usage) -> dict[str, Decimal] | None:
        """USD by kind of token; None when a count or a rate that is needed is not known."""
        counts, rates = self._billed(usage)
        if rates is None:
            return None
        costs = {kind: rates.cost(kind, tokens) for kind, tokens in counts.items()}
        known = {kind: cost for kind, cost in costs.items() if cost is not None}
        return known if len(known) == len(costs) else None

    def _billed(self, usage: Usage) -> tuple[dict[str, int], Rates | None]:
        """Tokens by kind, and what holds for them; None when a count, or what holds, is not known."""
        counts = token_counts(usage)
        return ({}, None) if counts is None else (counts, self.at(sum(counts.values()) - counts["output"]))

    def bound(self, prompt_tokens: int, max_tokens: int, an_hour: bool) -> Decimal | None:
        """The most that a request can cost whose prompt has at most ``prompt_tokens`` and its answer ``max_tokens``."""
        rates = self.at(prompt_tokens)
        if rates is None:
            return None
        return (prompt_tokens * rates.dearest_in(an_hour) + max_tokens * rates.output) / MILLION


def token_counts(usage: Usage) -> dict[str, int] | None:
    """Tokens by kind, disjoint; None when input or output was not observed."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    written = usage.cache_write_tokens or 0
    an_hour = min(usage.cache_write_1h_tokens or 0, written)
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cache_read": usage.cache_read_tokens or 0,
        "cache_write": written - an_hour,
        "cache_write_1h": an_hour,
    }

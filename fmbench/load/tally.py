"""Counts of one step in one process: small, mergeable, and all that ever travels to the master."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from fmbench.core.failures import PERMANENT, Outcome
from fmbench.core.records import Record
from fmbench.load.slices import Row, merged

_GROWTH = math.log(1.05)
LONGEST_WORDS = 300


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the requests of a step so far. ``ttft`` counts them by latency in steps of 5 per cent."""

    sent: int = 0
    done: int = 0
    ok: int = 0
    failed: int = 0
    measured: int = 0
    """Requests that are over and were sent in the measured window."""
    usd: float = 0.0
    output_tokens: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    words: dict[str, str] = field(default_factory=dict)
    """What was said with the first refusal of each kind that stops something: the service's own words."""
    ttft: Counter[int] = field(default_factory=Counter)
    slices: dict[int, Row] = field(default_factory=dict)
    """The measured window by slices of time, for ``load.until: decided`` alone."""

    @property
    def in_flight(self) -> int:
        return self.sent - self.done

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        self.done += 1
        self.measured += record.phase == "measure"
        self.usd += record.usd or 0.0
        if record.outcome == Outcome.OK:
            self.ok += 1
            self.output_tokens += record.output_tokens or 0
        else:
            self.failed += 1
            self.failures[record.failure or "unknown"] += 1
            if record.failure in PERMANENT:
                self.words.setdefault(record.failure, (record.message or "")[:LONGEST_WORDS])
        if record.ttft_s:
            self.ttft[round(math.log(record.ttft_s) / _GROWTH)] += 1

    def ttft_s(self, share: float) -> float | None:
        """The TTFT that ``share`` of the requests stay under, within 3 per cent: for the live view, never for a report."""
        rank = share * sum(self.ttft.values())
        for step in sorted(self.ttft):
            rank -= self.ttft[step]
            if rank <= 0:
                return math.exp(step * _GROWTH)
        return None


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them in one."""
    result, parts = Tally(), [*tallies]
    for tally in parts:
        for name in ("sent", "done", "ok", "failed", "measured", "usd", "output_tokens"):
            setattr(result, name, getattr(result, name) + getattr(tally, name))
        result.failures += tally.failures
        result.words = {**tally.words, **result.words}
        result.ttft += tally.ttft
    result.slices = merged(tally.slices for tally in parts)
    return result

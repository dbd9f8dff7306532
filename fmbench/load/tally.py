"""Counts of one step in one process: small, mergeable, and all that ever travels to the master."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from fmbench.core.failures import PERMANENT, THROTTLES, Outcome
from fmbench.core.records import Record
from fmbench.load.slices import Row, merged
from fmbench.load.wire import NEWER

_GROWTH = math.log(1.02)
LONGEST_WORDS = 300
LONGEST_SAID = 160


@dataclass(slots=True, kw_only=True)
class WindowCounts:
    """What became of the requests that were sent in the measured window. Latencies are counted in steps of 2 per cent."""

    ok: int = 0
    failed: int = 0
    dropped: int = 0
    """Requests of an open loop that could not be started."""
    output_tokens: int = 0
    admitted_tokens: int = 0
    """What a quota takes at admission, prompt and ``max_tokens``, of every request that was not throttled."""
    failures: Counter[str] = field(default_factory=Counter)
    said: dict[str, str] = field(default_factory=dict)
    """What was said with the last failure of each kind."""
    ttft: Counter[int] = field(default_factory=Counter)
    tpot: Counter[int] = field(default_factory=Counter)
    e2e: Counter[int] = field(default_factory=Counter)
    ttft_planned: Counter[int] = field(default_factory=Counter)
    """From the moment that an open loop's plan wanted; empty in a closed one."""
    e2e_planned: Counter[int] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        if record.failure not in THROTTLES:
            self.admitted_tokens += admitted_by(record)
        if record.outcome != Outcome.OK:
            self.failed += 1
            self.failures[record.failure or "unknown"] += 1
            self.said[record.failure or "unknown"] = (record.message or "")[:LONGEST_SAID]
            return
        self.ok += 1
        self.output_tokens += record.output_tokens or 0
        for counts, latency in ((self.ttft, record.ttft_s), (self.tpot, record.tpot_s), (self.e2e, record.e2e_s)):
            _count(counts, latency)
        if record.rate_per_min is not None and record.sent_at is not None and record.intended_at is not None:
            late_s = max(0.0, record.sent_at - record.intended_at)
            for counts, latency in ((self.ttft_planned, record.ttft_s), (self.e2e_planned, record.e2e_s)):
                _count(counts, None if latency is None else latency + late_s)

    def join(self, other: WindowCounts) -> None:
        """Count what another process counted."""
        self.ok += other.ok
        self.failed += other.failed
        self.dropped += other.dropped
        self.output_tokens += other.output_tokens
        self.admitted_tokens += other.admitted_tokens
        self.failures.update(other.failures)
        self.said |= other.said
        self.ttft.update(other.ttft)
        self.tpot.update(other.tpot)
        self.e2e.update(other.e2e)
        self.ttft_planned.update(other.ttft_planned)
        self.e2e_planned.update(other.e2e_planned)


def _count(counts: Counter[int], latency: float | None) -> None:
    if latency:
        counts[round(math.log(latency) / _GROWTH)] += 1


def admitted_by(record: Record) -> int:
    """The tokens that a request takes of a quota when it is let in: its prompt, by the service's count where it told one."""
    told = record.input_tokens
    cached = (record.cache_read_tokens or 0) + (record.cache_write_tokens or 0)
    return ((record.prompt_tokens or 0) if told is None else told + cached) + (record.max_tokens or 0)


def percentile(counts: Counter[int], share: float) -> float | None:
    """The latency that ``share`` of the answers stay under, within 1 per cent: for the live view, never for a report."""
    rank = share * sum(counts.values())
    for step in sorted(counts):
        rank -= counts[step]
        if rank <= 0:
            return math.exp(step * _GROWTH)
    return None


@dataclass(slots=True, kw_only=True)
class WholeCounts:
    """Requests that are over with all their attempts, and began in the measured window; one fails when its last attempt does."""

    over: int = 0
    failed: int = 0

    def add(self, record: Record) -> None:
        """Count the request that ``record`` is the whole of."""
        if record.phase == "measure":
            self.over += 1
            self.failed += record.outcome != Outcome.OK

    def join(self, other: WholeCounts) -> None:
        """Count what another process counted."""
        self.over += other.over
        self.failed += other.failed


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the requests of a step so far, each attempt counted as one."""

    sent: int = 0
    done: int = 0
    ok: int = 0
    failed: int = 0
    dropped: int = 0
    """Requests of an open loop that could not be started; not in ``sent``."""
    measured: int = 0
    """Requests that are over and were sent in the measured window."""
    usd: float = 0.0
    unpriced: int = 0
    """Answers whose price is not known; what they cost is not in ``usd``."""
    failures: Counter[str] = field(default_factory=Counter)
    words: dict[str, str] = field(default_factory=dict)
    """What was said with the first refusal of each kind that stops something: the service's own words."""
    window: WindowCounts = field(default_factory=WindowCounts)
    slices: dict[int, Row] = field(default_factory=dict)
    """The measured window by slices of time, for ``load.until: decided`` alone."""
    users: dict[int, Row] = field(default_factory=dict, metadata=NEWER)
    """The same by users."""
    processes: list[Row] = field(default_factory=list, metadata=NEWER)
    """The same by load processes, where it is of several."""
    whole: WholeCounts | None = field(default=None, metadata=NEWER)
    """By whole requests, where they may have several attempts; None: each has one."""

    @property
    def in_flight(self) -> int:
        return self.sent - self.done

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        self.done += 1
        self.usd += record.usd or 0.0
        if record.outcome == Outcome.OK:
            self.ok += 1
            self.unpriced += record.usd is None
        else:
            self.failed += 1
            self.failures[record.failure or "unknown"] += 1
            if record.failure in PERMANENT:
                self.words.setdefault(record.failure, (record.message or "")[:LONGEST_WORDS])
        if record.phase == "measure":
            self.measured += 1
            self.window.add(record)


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them in one."""
    result, parts = Tally(), [*tallies]
    for tally in parts:
        for name in ("sent", "done", "ok", "failed", "dropped", "measured", "usd", "unpriced"):
            setattr(result, name, getattr(result, name) + getattr(tally, name))
        result.failures.update(tally.failures)
        result.words = {**tally.words, **result.words}
        result.window.join(tally.window)
    result.whole = _joined(tally.whole for tally in parts if tally.whole is not None)
    result.slices, result.users = merged(tally.slices for tally in parts), merged(tally.users for tally in parts)
    result.processes = [[*map(math.fsum, zip(*tally.users.values(), strict=True))] for tally in parts if tally.users]
    return result


def _joined(parts: Iterable[WholeCounts]) -> WholeCounts | None:
    result: WholeCounts | None = None
    for part in parts:
        result = WholeCounts() if result is None else result
        result.join(part)
    return result

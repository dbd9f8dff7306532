"""Whether a cell's objectives can be judged by now: asked while it is being measured, of counts alone.

Whoever looks often enough sees something significant in the end. So what ends a window is **evidence that holds whenever one
looks**, on blocks of at least five seconds (``core.sequential``): at a value exactly at its limit, fewer than 5 % of windows
ever end with "met". Its price is time: that a p95 is met takes 84 blocks, 420 s, when every answer is within the limit, as a
shorter window may have missed the spells of 5 s that would be 5 % of a longer one. A window that nothing ends goes on to its
cap, where the report judges it as any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fmbench.core.objectives import Objective
from fmbench.core.quantiles import Floats
from fmbench.core.sequential import BLOCK_S, NOTHING, Evidence, independent_blocks, mean_evidence, share_evidence

LOOKS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A cell's measured requests, an array item a slice of time (by when they were sent). ``unknown`` are still in flight: they
    may fall either way."""

    unknown: int
    ended: Floats
    failed: Floats
    ok: Floats
    usd: Floats
    priced: Floats
    """How many of the ok requests have a known price."""
    per_minute: Floats
    """Transactions a minute, by when they were over."""
    latencies: dict[str, tuple[Floats, Floats]]
    """Objective → answers that have this latency, and those within the limit."""
    slice_s: float = BLOCK_S
    block_s: float = BLOCK_S
    """What lies within so many seconds is one event."""


def look_times(shortest_s: float, cap_s: float) -> list[float]:
    """When a window is looked at, seconds after it began: from its shortest length to its cap, by steps of the same ratio."""
    return [shortest_s * (cap_s / shortest_s) ** (step / (LOOKS - 1)) for step in range(LOOKS)]


def decided(objective: Objective, counts: Counts) -> bool:
    """Whether ``objective`` is met or not met by now; also when no more requests would tell (``evidence_for`` is None)."""
    evidence = evidence_for(objective, counts)
    return evidence is None or evidence.status() is not None


def evidence_for(objective: Objective, counts: Counts) -> Evidence | None:
    """What the counts say about one objective. None when no more requests would tell: without a price, or such a latency; and the
    quality of answers, which are scored after the load."""
    if objective.latency is not None:
        counted, within = counts.latencies[objective.name]
        if not counted.sum():
            return None if counts.ok.sum() else NOTHING
        return _of_share(counted - within, counted, 1 - objective.latency[1], counts)
    if objective.name == "error_rate":
        return _of_share(counts.failed, counts.ended, objective.limit, counts)
    if objective.name == "usd_per_10k":
        return _of_cost(objective.limit / 10_000, counts)
    if objective.name == "transactions_per_minute":
        rates = counts.per_minute
        at_most = mean_evidence(*independent_blocks(rates, np.ones(len(rates)), counts.slice_s, counts.block_s), objective.limit)
        return Evidence(at_most.not_met, at_most.met, -at_most.lean)
    return None


def _of_share(hits: Floats, counted: Floats, limit: float, counts: Counts) -> Evidence:
    """Of a share that may be at most ``limit``; what is in flight is held against either side."""
    if not counted.sum():
        return NOTHING
    least, most = hits, _with_last(hits, counts.unknown)
    trials = _with_last(counted, counts.unknown)
    against, for_it = (
        share_evidence(*independent_blocks(flags, trials, counts.slice_s, counts.block_s), limit) for flags in (least, most)
    )
    return Evidence(for_it.met, against.not_met, for_it.lean)


def _with_last(slices: Floats, more: int) -> Floats:
    return np.append(slices[:-1], slices[-1] + more)


def _of_cost(limit: float, counts: Counts) -> Evidence | None:
    if counts.priced.sum() < counts.ok.sum():
        return None
    return mean_evidence(*independent_blocks(counts.usd, counts.ok, counts.slice_s, counts.block_s), limit)

"""Looks at a cell while it is being measured: whether its objectives can be judged by now, from counts alone.

Whoever looks often enough sees something significant in the end. So what ends a window is **evidence that holds whenever one
looks**, on blocks of at least five seconds (``core.sequential``): at a value exactly at its limit, fewer than 5 % of windows
ever end with "met". Its price is time: that a p95 is met takes 84 blocks, 420 s, when every answer is within the limit, as a
shorter window may have missed the spells of 5 s that would be 5 % of a longer one. A window that nothing ends goes on to its
cap, where the report judges it as any other.

Time tells nothing of **who sent the requests**: users (connections, load processes) that differ do so from the first block to the
last. So a window ends only where how they differ lets it be said, too: by what each of them counted (``Counts.senders``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fmbench.core.clusters import chances
from fmbench.core.levels import MOST_DROPPED
from fmbench.core.quantiles import Floats
from fmbench.core.sequential import (
    BLOCK_S,
    NOTHING,
    Evidence,
    as_far_as,
    independent_blocks,
    mean_evidence,
    share_evidence,
)

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
    """Transactions a minute, by when they were over; of a sender, as if all were like it."""
    parts: Floats = field(default_factory=lambda: np.zeros(0))
    """How large a part of the load each sender is, in users; nothing where all items are as large."""
    told: Floats = field(default_factory=lambda: np.zeros(0))
    """How many of the ok requests are known to have given text or not, and (``text``) how many gave it."""
    text: Floats = field(default_factory=lambda: np.zeros(0))
    dropped: Floats = field(default_factory=lambda: np.zeros(0))
    """Requests of an open loop that were due and could not be started."""
    latencies: dict[str, tuple[Floats, Floats]]
    """A latency objective's key → answers that have this latency, and those within the limit."""
    slice_s: float = BLOCK_S
    block_s: float = BLOCK_S
    """What lies within so many seconds is one event."""
    senders: tuple[Counts, ...] = ()
    """The same counts with an item a user, and with an item a load process, in place of an item a slice."""

    def rates(self) -> tuple[Floats, Floats]:
        """Transactions a minute, times how much they count, and that."""
        parts = self.parts if len(self.parts) else np.ones_like(self.per_minute)
        return self.per_minute * parts, parts


Part = Callable[[Counts], tuple[Floats, Floats]]
"""Sums of what a limit is on, and how many values they are of."""


def look_times(shortest_s: float, cap_s: float) -> list[float]:
    """When a window is looked at, seconds after it began: from its shortest length to its cap, by steps of the same ratio."""
    return [shortest_s * (cap_s / shortest_s) ** (step / (LOOKS - 1)) for step in range(LOOKS)]


def evidence_of_share(of: Part, limit: float, counts: Counts) -> Evidence:
    """Of a share that may be at most ``limit``; what is in flight is held against either side."""
    hits, counted = of(counts)
    if not counted.sum():
        return NOTHING
    least, most = hits, _with_last(hits, counts.unknown)
    trials = _with_last(counted, counts.unknown)
    against, for_it = (
        share_evidence(*independent_blocks(flags, trials, counts.slice_s, counts.block_s), limit) for flags in (least, most)
    )
    found = Evidence(for_it.met, against.not_met, for_it.lean)
    return _as_senders_differ(found, of, limit, counts) if 0 < limit < 1 else found


def evidence_of_drops(counts: Counts) -> Evidence | None:
    """Whether at most ``MOST_DROPPED`` of an open loop's plan was dropped; None where nothing was."""
    if not counts.dropped.sum():
        return None
    planned = counts.ended + counts.dropped
    return share_evidence(*independent_blocks(counts.dropped, planned, counts.slice_s, counts.block_s), MOST_DROPPED)


def evidence_of_mean(of: Part, limit: float, counts: Counts) -> Evidence:
    """Of a mean that may be at most ``limit``: sums of values and their numbers."""
    found = mean_evidence(*independent_blocks(*of(counts), counts.slice_s, counts.block_s), limit)
    return _as_senders_differ(found, of, limit, counts) if limit > 0 else found


def _as_senders_differ(found: Evidence, of: Part, limit: float, counts: Counts) -> Evidence:
    for senders in counts.senders:
        found = as_far_as(found, chances(*of(senders), limit))
    return found


def _with_last(slices: Floats, more: int) -> Floats:
    return np.append(slices[:-1], slices[-1] + more)

"""How many load processes a plan takes, from what events and requests were measured to cost (``benchmarks/scale``)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fmbench.core.estimate import CellEstimate

EVENT_S = 25e-6
"""CPU seconds of a content event on a load process, as much as it was measured to take on busy cores over TLS."""
REQUEST_S = 1e-3
"""CPU seconds of a request on a load process beside its events: signed, sent, journalled twice, told to Locust."""
MOST_SHARE = 0.7
"""A load process that uses more of its core reads late."""
MOST_STREAMS = 2_000
"""A load process was not measured with more streams than these and read in time."""


@dataclass(frozen=True, slots=True)
class Size:
    """What the largest cell of a plan takes. ``cores`` are of load processes, which need one each."""

    streams: int
    """Users of a closed loop; 0 of an open one, whose requests in flight are not known beforehand."""
    tokens_per_s: float
    requests_per_s: float

    @property
    def cores(self) -> float:
        """CPU seconds a second of all load processes together; a token is taken for an event of its own."""
        return self.tokens_per_s * EVENT_S + self.requests_per_s * REQUEST_S

    @property
    def processes(self) -> int:
        """Load processes that carry it, each on a core of its own."""
        return max(1, math.ceil(round(self.cores / MOST_SHARE, 6)), math.ceil(self.streams / MOST_STREAMS))


def size_of(rows: Iterable[CellEstimate]) -> Size | None:
    """The size of the cell that takes most load processes; None without cells."""
    sizes = [_size(row) for row in rows]
    return max(sizes, key=lambda size: (size.processes, size.cores), default=None)


def _size(row: CellEstimate) -> Size:
    seconds = max(row.seconds, 1.0)
    return Size(row.cell.concurrency if row.cell.rate_per_min is None else 0, row.output_tokens / seconds, row.requests / seconds)

"""Figures over time for the web UI: what was answered in each short interval of a measured window."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gevent

from fmbench.core.failures import THROTTLES
from fmbench.core.records import Cell
from fmbench.load.event_words import level_words, rate, seconds
from fmbench.load.tally import Tally, WindowCounts, percentile
from fmbench.load.web_tabs import Row

if TYPE_CHECKING:
    from fmbench.load.controller.status import Progress

EVERY_S = 2.0
KEPT = 300
"""So many intervals are kept, the newest: Locust's page makes a row of each."""


@dataclass(slots=True)
class _Seen:
    """Where the last interval ended."""

    cell: Cell | None = None
    at: float = 0.0
    counts: WindowCounts = field(default_factory=WindowCounts)


class OverTime:
    """Looks at the cell at work every ``EVERY_S`` seconds."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._seen = _Seen()
        self._rows: deque[Row] = deque(maxlen=KEPT)
        gevent.spawn(self._look_on)

    def rows(self) -> list[Row]:
        """A row an interval, the newest first."""
        return list(reversed(self._rows))

    def _look_on(self) -> None:
        while True:
            gevent.sleep(EVERY_S)
            if (now := self._progress.at_work()) is not None:
                self.look(*now, at=time.time())

    def look(self, cell: Cell, tally: Tally, usd: float, at: float) -> None:
        """Keep what is new since the last look, if anything is. ``usd``: of the run; ``at``: UTC epoch."""
        seen, counts = self._seen, _copied(tally.window)
        self._seen = _Seen(cell, at, counts)
        if cell is seen.cell and counts.ok + counts.failed > seen.counts.ok + seen.counts.failed:
            self._rows.append(_row(cell, _new(counts, seen.counts), at, at - seen.at, usd))


def _copied(counts: WindowCounts) -> WindowCounts:
    copy = WindowCounts()
    copy.join(counts)
    return copy


def _new(counts: WindowCounts, before: WindowCounts) -> WindowCounts:
    """What ``counts`` has more than ``before``."""
    return WindowCounts(
        ok=counts.ok - before.ok,
        failed=counts.failed - before.failed,
        output_tokens=counts.output_tokens - before.output_tokens,
        failures=Counter(counts.failures) - Counter(before.failures),
        ttft=Counter(counts.ttft) - Counter(before.ttft),
        e2e=Counter(counts.e2e) - Counter(before.e2e),
    )


def _row(cell: Cell, new: WindowCounts, at: float, lasted_s: float, usd: float) -> Row:
    name = time.strftime("%H:%M:%S", time.gmtime(at))
    return {
        "name": name,
        "safe_name": name,
        "cell": f"{cell.model}, {cell.bucket}, {level_words(cell.concurrency, cell.rate_per_min)}",
        "answers": str(new.ok),
        "ttft_p50": seconds(percentile(new.ttft, 0.5)),
        "ttft_p95": seconds(percentile(new.ttft, 0.95)),
        "e2e_p95": seconds(percentile(new.e2e, 0.95)),
        "tokens": rate(60 * new.output_tokens / lasted_s),
        "failed": str(new.failed),
        "throttled": str(sum(count for kind, count in new.failures.items() if kind in THROTTLES)),
        "usd": f"{usd:.4f}",
    }

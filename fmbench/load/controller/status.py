"""Where the run is, as events for the program that started it; without one (plain Locust), a line a cell on stderr."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Any

from fmbench.config.schema import Config
from fmbench.core.failures import THROTTLES
from fmbench.core.neutral import visible
from fmbench.core.plan import Plan
from fmbench.core.records import Cell
from fmbench.load.event_words import over_words
from fmbench.load.events import CellDone, CellNow, EventPipe, Percentiles
from fmbench.load.tally import Tally, percentile

EVERY_S = 0.5
LATENCY_S = 2.0
"""What the drain of a cell is taken to last when nothing is known yet."""
MOST_SAID = 3
"""Kinds of failure whose words are told."""
WARMING_UP, MEASURING, DRAINING = "warming up", "measuring", "draining"
TO_COME, NOT_RUN = "to come", "not run"


@dataclass(slots=True)
class Now:
    """The cell that is at work. Times are of the monotonic clock."""

    cell: Cell
    workers: int
    began: float
    tally: Tally
    state: str = WARMING_UP
    until: float | None = None
    """UTC epoch."""
    measured_since: float | None = None
    counted: float = 0.0
    """When ``tally`` last grew: rates are taken up to there, since news comes once a second."""

    def take(self, tally: Tally) -> None:
        """The counts as they are now."""
        if tally.done != self.tally.done:
            self.counted = time.monotonic()
        self.tally = tally

    @property
    def window_s(self) -> float | None:
        """How long the counts of the measured window took; None: not begun."""
        if self.measured_since is None or self.counted <= self.measured_since:
            return None
        return self.counted - self.measured_since


class Progress:
    """Tells where the run is."""

    def __init__(self, config: Config, plan: Plan, finished: Set[int], spent_usd: float = 0.0) -> None:
        self._config = config
        self._cells = plan.cells
        self._over = len(finished)
        self._left = [cell for cell in plan.cells if cell.number not in finished]
        self._tried: set[int] = set()
        self._closed = False
        self._spent: list[float] = []
        self._usd = spent_usd
        self._now: Now | None = None
        self._pipe = EventPipe.given()
        self._told = 0.0
        self._done: list[CellNow] = []

    def cells(self) -> list[CellNow]:
        """Those that are over, and the one at work."""
        now = self._now
        return [*self._done, *([] if now is None else [CellNow(**self._facts(now, now.state, ""))])]

    def to_come(self) -> list[CellNow]:
        """Those that wait for their turn; once the run is over: those that were not measured."""
        state = NOT_RUN if self._closed else TO_COME
        waiting = [cell for cell in self._left if self._now is None or cell is not self._now.cell]
        waiting = [cell for cell in waiting if not (self._closed and cell.number in self._tried)]
        first = self._over + 1 + (self._now is not None)
        rows = [CellNow(**self._facts(Now(cell, 0, 0.0, Tally()), state, "")) for cell in waiting]
        return [replace(row, place=first + further) for further, row in enumerate(rows)]

    def at_work(self) -> tuple[Cell, Tally, float] | None:
        """The cell at work, its counts, and the dollars of the run up to now."""
        now = self._now
        return None if now is None else (now.cell, now.tally, self._usd + now.tally.usd)

    def cell_begins(self, cell: Cell, workers: int) -> None:
        """Users are let into a cell."""
        self._now = Now(cell, workers, time.monotonic(), Tally())
        self._tell()

    def measuring(self, by_the_clock: bool) -> None:
        """Requests count from now on: for a time that is known, or until something is decided."""
        if self._now is not None:
            self._now.state, self._now.measured_since = MEASURING, time.monotonic()
            self._now.until = time.time() + self._config.load.duration_s if by_the_clock else None
            self._tell()

    def draining(self) -> None:
        """No request is sent any more; those in flight are waited for."""
        if self._now is not None:
            self._now.state, self._now.until = DRAINING, None
            self._tell()

    def update(self, tally: Tally) -> None:
        """What the current cell's requests have become so far."""
        if self._now is not None:
            self._now.take(tally)
            if time.monotonic() - self._told > EVERY_S:
                self._tell()

    def add(self, tally: Tally) -> None:
        """The final counts of the cell."""
        if self._now is not None:
            self._now.tally = tally

    def cell_over(self, cell: Cell, status: str, reason: str) -> None:
        """A cell has its line."""
        now = self._now
        if now is None or now.cell is not cell:
            now = Now(cell, 1, time.monotonic(), Tally())
        elif status != "skipped":
            self._spent.append(time.monotonic() - now.began)
        done = CellDone(**self._facts(now, status, reason))
        self._done.append(done)
        self._usd += now.tally.usd
        self._over += status != "invalid"
        self._tried.add(cell.number)
        if status != "invalid":
            self._left = [left for left in self._left if left is not cell]
        self._now = None
        if self._pipe is not None:
            self._pipe.send(done)
        else:
            print(visible(over_words(done)), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing more is told."""
        self._now, self._closed = None, True

    def _tell(self) -> None:
        if self._pipe is not None and self._now is not None:
            self._told = time.monotonic()
            self._pipe.send(CellNow(**self._facts(self._now, self._now.state, "")))

    def _facts(self, now: Now, state: str, reason: str) -> dict[str, Any]:
        window, window_s, whole = now.tally.window, now.window_s, now.tally.whole
        return {
            "place": min(self._over + 1, len(self._cells)),
            "cells": len(self._cells),
            "model": now.cell.model,
            "bucket": now.cell.bucket,
            "users": now.cell.concurrency,
            "rate_per_min": now.cell.rate_per_min,
            "workers": now.workers,
            "state": state,
            "reason": reason,
            "until": now.until,
            "sent": now.tally.sent,
            "measured": now.tally.measured if whole is None else whole.over,
            "ok": window.ok,
            "failed": window.failed if whole is None else whole.failed,
            "attempts": None if whole is None else now.tally.measured,
            "attempts_failed": None if whole is None else window.failed,
            "throttled": sum(count for kind, count in window.failures.items() if kind in THROTTLES),
            "dropped": window.dropped,
            "failures": dict(window.failures),
            "said": {kind: window.said[kind] for kind, _ in window.failures.most_common(MOST_SAID) if window.said.get(kind)},
            "ttft": _percentiles(window.ttft),
            "tpot": _percentiles(window.tpot),
            "e2e": _percentiles(window.e2e),
            "ttft_planned": _percentiles(window.ttft_planned) if now.cell.rate_per_min is not None else None,
            "e2e_planned": _percentiles(window.e2e_planned) if now.cell.rate_per_min is not None else None,
            "answers_per_min": None if window_s is None else 60 * window.ok / window_s,
            "output_tokens_per_s": None if window_s is None else window.output_tokens / window_s,
            "admitted_tpm": None if window_s is None else 60 * window.admitted_tokens / window_s,
            "usd": None if now.tally.unpriced else now.tally.usd,
            "usd_run": self._usd + now.tally.usd,
            "budget_usd": self._config.budget.max_usd,
            "left_s": self._left_s(),
        }

    def _left_s(self) -> float:
        """Cells to come at what a cell took so far, or should take."""
        load = self._config.load
        usual = sum(self._spent) / len(self._spent) if self._spent else load.warmup_s + load.duration_s + LATENCY_S
        left = usual * max(0, len(self._cells) - self._over - (self._now is not None))
        if self._now is not None:
            left += max(1.0, usual - (time.monotonic() - self._now.began))
        return left


def _percentiles(counts: Counter[int]) -> Percentiles:
    return Percentiles(n=counts.total(), p50=percentile(counts, 0.5), p95=percentile(counts, 0.95))

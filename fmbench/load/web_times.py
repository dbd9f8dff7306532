"""Figures over time for the web UI: what was answered in each short interval of a measured window, as a table and as charts."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from flask import Flask, Response, send_file

from fmbench.core.failures import THROTTLES
from fmbench.core.records import Cell
from fmbench.load.event_words import level_words, rate, seconds
from fmbench.load.tally import Tally, WindowCounts, percentile
from fmbench.load.web_tabs import Row, quota_words

if TYPE_CHECKING:
    from fmbench.load.controller.status import Progress

EVERY_S = 2.0
KEPT_ROWS = 300
"""So many intervals are in the table, the newest: Locust's page makes a row of each."""
KEPT = 3600
"""So many intervals are in the charts, the newest: two hours."""
PANELS: tuple[dict[str, Any], ...] = tuple(
    {"title": title, "unit": unit, "lines": [{"key": key, "title": name, "dashed": key == "quota_tpm"} for key, name in lines]}
    for title, unit, lines in (
        ("Time to first token", "s", (("ttft_p50", "p50"), ("ttft_p95", "p95"))),
        ("Time per output token", "s", (("tpot_p50", "p50"), ("tpot_p95", "p95"))),
        ("End to end", "s", (("e2e_p50", "p50"), ("e2e_p95", "p95"))),
        ("Output tokens", "a minute", (("tokens_per_min", "output"),)),
        ("Cost of the run", "USD", (("usd", "so far"),)),
        ("Quota", "tokens a minute", (("admitted_per_min", "taken at admission"), ("quota_tpm", "quota"))),
        ("Failures", "in 2 s", (("throttled", "throttled"), ("failed", "all failed"))),
    )
)
"""The charts: title, unit, and the keys of ``Point`` that are drawn, with their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An interval of a measured window. Latencies in seconds; None: nothing was seen, or the quota is not known."""

    at: float
    """When it ended, UTC epoch."""
    cell: str
    answers: int
    ttft_p50: float | None
    ttft_p95: float | None
    tpot_p50: float | None
    tpot_p95: float | None
    e2e_p50: float | None
    e2e_p95: float | None
    tokens_per_min: float
    admitted_per_min: float
    quota_tpm: float | None
    failed: int
    throttled: int
    usd: float
    """Of the run so far."""

    def row(self) -> Row:
        """The interval's row of the table."""
        name = time.strftime("%H:%M:%S", time.gmtime(self.at))
        return {
            "name": name,
            "safe_name": name,
            "cell": self.cell,
            "answers": str(self.answers),
            "ttft_p50": seconds(self.ttft_p50),
            "ttft_p95": seconds(self.ttft_p95),
            "tpot_p50": seconds(self.tpot_p50),
            "e2e_p95": seconds(self.e2e_p95),
            "tokens": rate(self.tokens_per_min),
            "failed": str(self.failed),
            "throttled": str(self.throttled),
            "quota": quota_words(self.admitted_per_min, self.quota_tpm),
            "usd": f"{self.usd:.4f}",
        }


@dataclass(slots=True)
class _Seen:
    """Where the last interval ended."""

    cell: Cell | None = None
    at: float = 0.0
    counts: WindowCounts = field(default_factory=WindowCounts)


class OverTime:
    """Looks at the cell at work every ``EVERY_S`` seconds. ``quotas``: tokens a minute by a model's label, where known."""

    def __init__(self, progress: Progress, quotas: Mapping[str, float | None] | None = None) -> None:
        self._progress, self._quotas = progress, quotas or {}
        self._seen = _Seen()
        self._points: deque[Point] = deque(maxlen=KEPT)
        gevent.spawn(self._look_on)

    def rows(self) -> list[Row]:
        """A row an interval, the newest first."""
        return [point.row() for point in reversed(list(self._points)[-KEPT_ROWS:])]

    def routes(self, app: Flask) -> None:
        """Adds the addresses of the charts: both only read."""
        app.add_url_rule("/study/times", "fmbench_times", self._times, methods=["GET"])
        app.add_url_rule("/study/charts.js", "fmbench_charts", _script, methods=["GET"])

    def _times(self) -> Response:
        shown = {"panels": PANELS, "rows": [asdict(point) for point in self._points]}
        return Response(json.dumps(shown), mimetype="application/json")

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
            new = _new(counts, seen.counts)
            self._points.append(_point(cell, new, at, at - seen.at, usd, self._quotas.get(cell.model)))


def _script() -> Response:
    return send_file(Path(__file__).with_name("pages") / "charts.js", mimetype="text/javascript")


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
        admitted_tokens=counts.admitted_tokens - before.admitted_tokens,
        failures=Counter(counts.failures) - Counter(before.failures),
        ttft=Counter(counts.ttft) - Counter(before.ttft),
        tpot=Counter(counts.tpot) - Counter(before.tpot),
        e2e=Counter(counts.e2e) - Counter(before.e2e),
    )


def _point(cell: Cell, new: WindowCounts, at: float, lasted_s: float, usd: float, quota: float | None) -> Point:
    return Point(
        at=at,
        cell=f"{cell.model}, {cell.bucket}, {level_words(cell.concurrency, cell.rate_per_min)}",
        answers=new.ok,
        ttft_p50=percentile(new.ttft, 0.5),
        ttft_p95=percentile(new.ttft, 0.95),
        tpot_p50=percentile(new.tpot, 0.5),
        tpot_p95=percentile(new.tpot, 0.95),
        e2e_p50=percentile(new.e2e, 0.5),
        e2e_p95=percentile(new.e2e, 0.95),
        tokens_per_min=60 * new.output_tokens / lasted_s,
        admitted_per_min=60 * new.admitted_tokens / lasted_s,
        quota_tpm=quota,
        failed=new.failed,
        throttled=sum(count for kind, count in new.failures.items() if kind in THROTTLES),
        usd=usd,
    )

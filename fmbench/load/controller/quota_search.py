"""``load.search: {of: quota}``: bursts one after another, as what was seen says, each at its moment of the service's minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fmbench.config.schema import Config, Model
from fmbench.core.plan import Plan
from fmbench.core.quota.burst import Burst, Seen
from fmbench.core.quota.replay import MINUTE_S
from fmbench.core.quota.search import Limits, search
from fmbench.core.records import Cell
from fmbench.load.clock import now
from fmbench.load.controller.cell_log import Attempt, CellLog

Send = Callable[[Cell, Burst, float], Attempt | None]
"""Sends a burst as a cell, from a moment on; None: it could not be sent."""
READY_S = 0.5
"""So long the load processes take to get ready, at most by half a minute of the quota."""
MOST_RESERVED = 8192
"""The ``max_tokens`` of the requests that are to reserve many, where the configuration names none."""


class QuotaSearching:
    """Finds the quota of each model of a plan, one after the other."""

    def __init__(self, config: Config, plan: Plan, cells: CellLog, send: Send) -> None:
        assert config.load.search is not None
        self._config, self._send = config, send
        self._scale = config.load.search.minute_s / MINUTE_S
        self._models = {model.name: model for model in config.models}
        self._templates = list({cell.model: cell for cell in reversed(plan.cells)}.values())[::-1]
        self._highest = max([*(cell.number for cell in plan.cells), *(row["cell"] for row in cells.rows)], default=-1)
        self._sent: dict[str, int] = {}
        self._last = 0.0

    def run(self) -> None:
        """Search until every quota is found, or no more can be sent."""
        for template in self._templates:
            self._last = now()
            self._search(template)

    def _search(self, template: Cell) -> None:
        bursts = search(self._limits(self._models[template.model]))
        burst = next(bursts)
        while (attempt := self._send(self._cell(template), burst, self._moment(burst))) is not None:
            self._last = now()
            try:
                burst = bursts.send([self._in_minutes(each) for each in sorted(attempt.seen, key=lambda each: each.at)])
            except StopIteration:
                return

    def _limits(self, model: Model) -> Limits:
        assert self._config.load.search is not None
        given = model.inference.max_tokens or self._config.inference.max_tokens
        requests = min(Limits().requests, self._config.load.search.most_requests)
        return Limits(requests=requests, max_tokens=given or MOST_RESERVED)

    def _cell(self, template: Cell) -> Cell:
        """The plan's own cell for its first burst, and new ones after it."""
        block = self._sent[template.model] = self._sent.get(template.model, -1) + 1
        if not block:
            return template
        self._highest += 1
        return template._replace(number=self._highest, block=block)

    def _moment(self, burst: Burst) -> float:
        """When a burst begins: after its silence, at its second of the service's minute."""
        minute_s = MINUTE_S * self._scale
        earliest = max(now() + min(READY_S, minute_s / 60), self._last + burst.quiet_s * self._scale)
        return earliest if burst.at is None else earliest + (burst.at * self._scale - earliest) % minute_s

    def _in_minutes(self, seen: Seen) -> Seen:
        """The same on a clock whose minutes are the service's."""
        return replace(seen, at=seen.at / self._scale, ended_at=seen.ended_at / self._scale)

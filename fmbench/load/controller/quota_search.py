"""``load.search: {of: quota}``: bursts one after another, as what was seen says, each at its moment of the service's minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fmbench.config.schema import Config, Model
from fmbench.core.plan import Plan
from fmbench.core.quota.burst import Burst, Seen
from fmbench.core.quota.found import bursts_told, is_finished
from fmbench.core.quota.replay import MINUTE_S
from fmbench.core.quota.search import Limits, Search, resumed
from fmbench.core.records import Cell
from fmbench.load.clock import now
from fmbench.load.controller.cell_log import Attempt, CellLog

Take = Callable[[Attempt], None]
"""Is given what was sent of a burst, and says in it which burst that was and whether it was the last one."""
Send = Callable[[Cell, Burst, float, Take], Attempt | None]
"""Sends a burst as a cell, from a moment on; None: it could not be sent."""
Told = Callable[[int], list[Seen]]
"""What the records of earlier parts of the run tell of the burst of a cell."""
READY_S = 0.5
"""So long the load processes take to get ready, at most by half a minute of the quota."""
MOST_RESERVED = 8192
"""The ``max_tokens`` of the requests that are to reserve many, where the configuration names none."""


class QuotaSearching:
    """Finds the quota of each model of a plan, one after the other."""

    def __init__(self, config: Config, plan: Plan, cells: CellLog, send: Send, told: Told) -> None:
        assert config.load.search is not None
        self._config, self._cells, self._send, self._told = config, cells, send, told
        self._scale = config.load.search.minute_s / MINUTE_S
        self._models = {model.name: model for model in config.models}
        self._templates = list({cell.model: cell for cell in reversed(plan.cells)}.values())[::-1]
        self._highest = max([*(cell.number for cell in plan.cells), *(row["cell"] for row in cells.rows)], default=-1)
        self._last = 0.0

    def run(self) -> None:
        """Search until every quota is found, or no more can be sent."""
        for template in self._templates:
            self._last = now()
            self._search(template)

    def _search(self, template: Cell) -> None:
        lines = self._lines(template)
        if is_finished(lines):
            return
        limits = self._limits(self._models[template.model])
        course = _Course(*resumed(limits, [*map(self._told, bursts_told(lines))]), self._scale)
        while course.due is not None:
            if self._send(self._cell(template), course.due, self._moment(course.due), course.take) is None:
                return
            self._last = now()

    def _lines(self, template: Cell) -> list[dict[str, Any]]:
        return [row for row in self._cells.rows if row["model"] == template.model]

    def _limits(self, model: Model) -> Limits:
        assert self._config.load.search is not None
        given = model.inference.max_tokens or self._config.inference.max_tokens
        requests = min(Limits().requests, self._config.load.search.most_requests)
        return Limits(requests=requests, max_tokens=given or MOST_RESERVED)

    def _cell(self, template: Cell) -> Cell:
        """The plan's own cell for its first burst, and new ones after it."""
        block = len({row["cell"] for row in self._lines(template)})
        if not block:
            return template
        self._highest += 1
        return template._replace(number=self._highest, block=block)

    def _moment(self, burst: Burst) -> float:
        """When a burst begins: after its silence, at its second of the service's minute."""
        minute_s = MINUTE_S * self._scale
        earliest = max(now() + min(READY_S, minute_s / 60), self._last + burst.quiet_s * self._scale)
        return earliest if burst.at is None else earliest + (burst.at * self._scale - earliest) % minute_s


@dataclass(slots=True)
class _Course:
    """How far the search of one model is."""

    bursts: Search
    due: Burst | None
    """What is to be sent now; None: the search has found what it can."""
    place: int
    """Which burst that is, from 0."""
    scale: float

    def take(self, attempt: Attempt) -> None:
        """Go on by what was seen of the burst that was due."""
        try:
            self.due = self.bursts.send([self._in_minutes(each) for each in sorted(attempt.seen, key=lambda each: each.at)])
        except StopIteration:
            self.due = None
        attempt.place, attempt.last = self.place, self.due is None
        self.place += 1

    def _in_minutes(self, seen: Seen) -> Seen:
        """The same on a clock whose minutes are the service's."""
        return replace(seen, at=seen.at / self.scale, ended_at=seen.ended_at / self.scale)

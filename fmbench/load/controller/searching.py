"""``load.search``: cells are made one after another, as what was measured says; the searches of several models take turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fmbench.config.schema import Config
from fmbench.core.levels import searched_level
from fmbench.core.plan import Plan
from fmbench.core.records import Cell
from fmbench.core.search import Found, Level, Search
from fmbench.core.searches import level_of, replayed
from fmbench.load.controller.cell_log import Attempt, CellLog

Measure = Callable[[Cell, Level], Attempt | None]
"""Measures a cell as a step of a search; None: it could not be measured."""


@dataclass(slots=True)
class _Arm:
    """A model and a bucket, with their search."""

    template: Cell
    search: Search


class Searching:
    """Finds the limit of each model and bucket of a plan, which has one cell of each."""

    def __init__(self, config: Config, plan: Plan, cells: CellLog, measure: Measure) -> None:
        assert config.load.search is not None
        self._load, self._cells, self._measure = config.load, cells, measure
        self._asked = config.load.search.model_dump()
        self._highest = max([*(cell.number for cell in plan.cells), *(row["cell"] for row in cells.rows)], default=-1)
        self._arms = [_Arm(cell, replayed(self._asked, self._lines(cell))) for cell in plan.cells]

    def run(self) -> None:
        """Search until every limit is found, or no more can be measured."""
        open_arms = list(self._arms)
        while open_arms:
            open_arms = [arm for arm in open_arms if self._step(arm)]

    def _step(self, arm: _Arm) -> bool:
        """One step of one search. False: it is over."""
        level = arm.search.next()
        if isinstance(level, Found):
            return False
        attempt = self._measure(self._cell(arm.template, level), level)
        if attempt is None or attempt.evidence is None:
            return False
        arm.search.observe(level.level, attempt.measured, attempt.evidence)
        return True

    def _cell(self, template: Cell, level: Level) -> Cell:
        """The plan's own cell for its first step, and new ones after it: a level's next visit is its next block."""
        visits = [line for line in self._lines(template) if level_of(self._asked, line) == level.level]
        if not self._lines(template):
            return template
        self._highest += 1
        shape = searched_level(self._load, level.level)
        block = len({line["cell"] for line in visits})
        return template._replace(
            number=self._highest, concurrency=shape.concurrency, rate_per_min=shape.rate_per_min, block=block
        )

    def _lines(self, cell: Cell) -> list[dict[str, object]]:
        return [row for row in self._cells.rows if (row["model"], row["bucket"]) == (cell.model, cell.bucket)]

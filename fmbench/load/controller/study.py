"""The controller steps the users through the cells: a greenlet on the master, or on the only process; never a LoadTestShape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmbench.config.load import stored_config
from fmbench.core.failures import Refused
from fmbench.core.plan import Plan
from fmbench.core.records import Cell
from fmbench.load import clock
from fmbench.load.controller.budget import RunBudget
from fmbench.load.controller.cell_log import Attempt, CellLog
from fmbench.load.controller.crew import Crew
from fmbench.load.controller.greeting import greeting
from fmbench.load.controller.interrupts import Stop, StopRequest
from fmbench.load.controller.measuring import Measuring
from fmbench.load.controller.members import NobodyLeft
from fmbench.load.controller.status import Progress
from fmbench.load.controller.stopping import Watches
from fmbench.load.outbox import Outbox, outbox_to
from fmbench.load.protocol import Address

if TYPE_CHECKING:
    from fmbench.core.quota.burst import Burst, Seen
    from fmbench.core.search import Level
    from fmbench.load.controller.quota_search import Take

ATTEMPTS = 3
"""A cell whose set of workers changed is void and measured again, so many times in all; once more so often at the run's end."""
MOST_BEGINNINGS = 20
"""So often a cell is begun when no attempt comes as far as measuring."""


class Controller:
    """Runs the study of a prepared folder on the environment's load processes."""

    def __init__(self, environment: Any, folder: Path) -> None:
        self.config = stored_config((folder / "config.yml").read_text(), "config.yml")
        self.plan = Plan.from_json((folder / "plan.json").read_bytes())
        self.folder = folder
        self.request = StopRequest()
        self.crew = Crew(environment, self.plan.run_id, self.request.heed)
        self.cells = CellLog(folder)
        self._watches = Watches()
        for key, level in self.cells.failing():
            self._watches.failed_before(key, level)
        used = self.cells.used()
        self.progress = Progress(self.config, self.plan, self.cells.finished(), used[1])
        budget = RunBudget(self.config.budget, *used)
        self._measuring = Measuring(self.config, self.crew, budget, self._watches, self.progress, self.request)
        self._outbox: Outbox | None = None

    @property
    def stopping(self) -> bool:
        """Whether somebody asked for the end."""
        return self.request.stop is not None

    def stop(self, ended: str, message: str) -> None:
        """Ask for an orderly end; asked again, what is in flight is not waited for."""
        self.request.ask(ended, message)

    def run(self, endpoint: Address | None) -> tuple[str, str]:
        """Measure every cell that is not done yet. Returns ``(ended, message)`` as load.json has them.

        Raises ``Refused`` when of all processes that joined none can take part.
        """
        clock.begin()
        self.crew.hello = greeting(self.plan.run_id, self.folder, self.config.region, endpoint)
        self._outbox = outbox_to(self.crew.hello.store, self.folder)
        try:
            self._run_cells()
            return self._verdict()
        except Stop as stop:
            return stop.ended, str(stop)
        except NobodyLeft as error:
            if not self.crew.members:
                raise Refused(str(error)) from None
            return "worker_lost", "; ".join([str(error), *self.crew.lost()])
        finally:
            self.progress.close()

    def _run_cells(self) -> None:
        """Each cell in its turn; those that stayed void once more at the end, when the crew may be at rest again."""
        if self.config.load.search is not None:
            return self._search()
        for _ in range(2):
            for cell in self.plan.cells:
                if cell.number not in self.cells.finished():
                    self._run_cell(cell)

    def _search(self) -> None:
        if self.config.load.search is not None and self.config.load.search.of == "quota":
            from fmbench.load.controller.quota_search import QuotaSearching

            return QuotaSearching(self.config, self.plan, self.cells, self._run_burst, self._told).run()
        from fmbench.load.controller.searching import Searching  # statistics: nothing else needs them during the load

        Searching(self.config, self.plan, self.cells, self._run_cell).run()

    def _told(self, cell: int) -> list[Seen]:
        """What the records of earlier parts of the run tell of a burst."""
        from fmbench.core.quota.found import log_of
        from fmbench.core.quota.replay import MINUTE_S
        from fmbench.storage.reader import LocalRun
        from fmbench.storage.runfolder import RunFolder

        assert self.config.load.search is not None
        table, scale = LocalRun(RunFolder(self.folder)).table(), self.config.load.search.minute_s / MINUTE_S
        return log_of(table.rows[table.slices[cell]], scale) if cell in table.slices else []

    def _verdict(self) -> tuple[str, str]:
        lost, left_out = self.crew.lost(), self._watches.left_out
        if {cell.model for cell in self.plan.cells} <= left_out.keys():
            reasons = "; ".join(f"{model}: {reason}" for model, reason in left_out.items())
            return "target_down", f"no model could be measured ({reasons})"
        if lost:
            return "worker_lost", f"lost on the way: {', '.join(lost)}"
        if self._watches.target.never_there:
            return "target_down", "the endpoint was never reached"
        why = self.cells.nothing_measured()
        return ("done", "") if why is None else ("error_limit", f"no cell could be measured ({why})")

    def _run_cell(self, cell: Cell, visit: Level | None = None) -> Attempt | None:
        """Attempt after attempt until the cell is done; one counts when it came as far as measuring. Returns a complete one.

        ``visit``: the step of a search that the cell is.
        """
        measured = 0
        for _ in range(MOST_BEGINNINGS):
            why = self._watches.why_left_out(cell)
            if why is not None:
                self._leave_out(cell, why)
                return None
            attempt = self._new_attempt(cell)
            attempt.visit = visit
            status, reason = self._measuring.run(attempt)
            if status == "complete":
                self._note_failing(attempt)
            self._write_line(attempt.ended(status, reason))
            self.progress.cell_over(cell, status, reason)
            self.request.heed()
            measured += attempt.measure_at is not None
            if status == "complete":
                return attempt
            if status != "invalid" or measured == ATTEMPTS:
                return None
        return None

    def _run_burst(self, cell: Cell, burst: Burst, opens_at: float, take: Take) -> Attempt | None:
        """One burst of a search for a quota; None: it was not sent to its end. ``take`` is given what was seen of it."""
        if (why := self._watches.why_left_out(cell)) is not None:
            self._leave_out(cell, why)
            return None
        attempt = self._new_attempt(cell)
        attempt.burst, attempt.opens_at = burst, opens_at
        status, reason = self._measuring.run(attempt)
        if status == "complete":
            take(attempt)
        self._write_line(attempt.ended(status, reason))
        self.progress.cell_over(cell, status, reason)
        self.request.heed()
        return attempt if status == "complete" else None

    def _note_failing(self, attempt: Attempt) -> None:
        """A level that is shown to fail, where higher ones are then left out."""
        failing = attempt.evidence is not None and attempt.evidence.status() is False
        if self.config.load.stop_when_failing and self.config.load.search is None and failing:
            attempt.fails = True
            self._watches.failing(attempt.cell)

    def _leave_out(self, cell: Cell, reason: str) -> None:
        self._write_line(self._new_attempt(cell).ended("skipped", reason))
        self.progress.cell_over(cell, "skipped", reason)

    def _new_attempt(self, cell: Cell) -> Attempt:
        return Attempt(cell, self.cells.attempts(cell) + 1, {})

    def _write_line(self, row: dict[str, Any]) -> None:
        """A line in cells.jsonl, here and where the run is stored: a report can be made should this machine be lost."""
        self.cells.write(row)
        if self._outbox is not None:
            self._outbox.send("cells.jsonl")

"""One attempt at a cell: users at the level behind a closed gate, every worker ready, gate open, warm-up, window, gate closed,
every request in flight over, counts from every worker. Nothing is ever cut off between cells.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent

from fmbench.config.schema import Config
from fmbench.core.cures import in_words
from fmbench.core.failures import NOT_THE_MODELS
from fmbench.core.levels import window_s
from fmbench.core.plan import deal_slots
from fmbench.core.records import Cell
from fmbench.load.clock import now
from fmbench.load.controller.budget import RunBudget
from fmbench.load.controller.cell_log import Attempt
from fmbench.load.controller.crew import Crew
from fmbench.load.controller.draining import Draining
from fmbench.load.controller.interrupts import LeftOut, Stop, StopRequest
from fmbench.load.controller.members import CellRefused, CrewChanged
from fmbench.load.controller.status import Progress
from fmbench.load.controller.stopping import Watches, visit_over, window_over
from fmbench.load.deadlines import LOOK_S, STEP_READY_S
from fmbench.load.protocol import Measure, Open, Pulse, StepOrder, StepReady
from fmbench.load.tally import Tally, total

if TYPE_CHECKING:
    from fmbench.load.controller.windows import WindowJudge


OPENS_AFTER_S = 0.2
"""An open loop's plan begins so long after its load processes are told."""


class Measuring:
    """Measures cells with the crew that is there. Steps are numbered through the life of this process."""

    def __init__(
        self, config: Config, crew: Crew, budget: RunBudget, watches: Watches, progress: Progress, request: StopRequest
    ) -> None:
        self.config = config
        self.crew = crew
        self.budget = budget
        self._watches = watches
        self._progress = progress
        self._request = request
        self._judge = _window_judge(config)
        self._draining = Draining(config, crew, budget, request)
        self._number = 0
        self._seen = Tally()

    def run(self, attempt: Attempt) -> tuple[str, str]:
        """One go at a cell, with its drain however it ends. Returns its status and the reason."""
        self._number += 1
        self._seen = Tally()
        status, reason = self._measured(attempt)
        self._progress.draining()
        unfinished = self._draining.drain(attempt, self._number, self._pulses)
        counted = total(attempt.tallies.values())
        self._progress.add(counted)
        if status == "complete" and (spoilt := unfinished or _spoilt(counted)):
            return "invalid", spoilt
        return status, reason

    def _measured(self, attempt: Attempt) -> tuple[str, str]:
        try:
            self._make_ready(attempt)
            self._warm_up(attempt)
            self._measure(attempt)
        except Stop as stop:
            self._request.stop = self._request.stop or stop
            return "stopped", str(stop)
        except (LeftOut, CellRefused) as error:
            return "skipped", str(error)
        except CrewChanged as error:
            return "invalid", str(error)
        return "complete", ""

    def _make_ready(self, attempt: Attempt) -> None:
        cell = attempt.cell
        self.crew.freeze()
        self._look(attempt)
        users = self.crew.have_users(cell.concurrency)
        attempt.slots = slots = deal_slots(users)
        attempt.leases = self.budget.lease(users)
        for client in attempt.leases:
            self.crew.tell(self._order(attempt, client, slots[client]), client)
        self.crew.answers(StepReady, self._number, users, STEP_READY_S)

    def _order(self, attempt: Attempt, client: str, slots: list[int]) -> StepOrder:
        requests, usd = attempt.leases[client]
        spread = self.config.load.spread_s
        return StepOrder(
            run_id=self.crew.run_id,
            number=self._number,
            cell=attempt.cell,
            slots=slots,
            spread_s=min(1.0, self.config.load.warmup_s) if spread is None else spread,
            requests=requests,
            usd=usd,
            counting=None if self._judge is None else self._judge.counting,
            burst=attempt.burst,
        )

    def _warm_up(self, attempt: Attempt) -> None:
        warmup_s = 0.0 if attempt.burst is not None else self.config.load.warmup_s
        self._progress.cell_begins(attempt.cell, len(self.crew.frozen))
        soon = now() + (OPENS_AFTER_S if attempt.cell.rate_per_min is not None else 0.0)
        attempt.opened_at = max(soon, attempt.opens_at or soon)
        if not warmup_s:
            attempt.measure_at = attempt.opened_at
        for client in sorted(self.crew.frozen):
            self.crew.tell(self._opening(attempt, client, not warmup_s), client)
        self._keep_on(attempt, warmup_s, lambda elapsed, tally: elapsed >= warmup_s)

    def _opening(self, attempt: Attempt, client: str, measured: bool) -> Open:
        """An open loop begins at the same moment everywhere, by each worker's own clock; a closed one when the message comes."""
        opens_at = None
        planned = attempt.cell.rate_per_min is not None or attempt.burst is not None
        if planned and attempt.opened_at is not None:
            opens_at = attempt.opened_at + self.crew.members[client].offset_s
        return Open(run_id=self.crew.run_id, number=self._number, measured=measured, opens_at=opens_at)

    def _measure(self, attempt: Attempt) -> None:
        load = self.config.load
        if attempt.measure_at is None:
            attempt.measure_at = now()
            self.crew.tell(Measure(run_id=self.crew.run_id, number=self._number))
        window = None if self._judge is None or load.until == "fixed" else self._judge.window()
        self._progress.measuring(window is None and attempt.visit is None)

        def over(elapsed: float, tally: Tally) -> bool:
            if attempt.burst is not None:
                return elapsed > 0 and self._burst_over(attempt)
            self._weigh(attempt, elapsed, tally)
            if attempt.visit is not None:
                return visit_over(load, elapsed, attempt)
            decided = window is None or window(elapsed, tally)
            return window_over(load, elapsed, tally.measured, decided)

        self._keep_on(attempt, 0.0 if attempt.burst is not None else window_s(load), over)

    def _burst_over(self, attempt: Attempt) -> bool:
        """Whether every load process has sent its part of a burst, and has seen all of it end."""
        pulses = self._pulses()
        return all((pulse := pulses.get(client)) is not None and not pulse.users for client in attempt.leases) and any(
            pulse.tally.sent for pulse in pulses.values()
        )

    def _weigh(self, attempt: Attempt, elapsed_s: float, tally: Tally) -> None:
        """Keep what the window has shown by now, where that decides what is measured next."""
        if self._judge is not None and (attempt.visit is not None or self.config.load.stop_when_failing):
            attempt.evidence, attempt.measured = self._judge.evidence(elapsed_s, tally), tally.measured

    def _keep_on(self, attempt: Attempt, expected_s: float, over: Callable[[float, Tally], bool]) -> None:
        """Watch over the step until ``over(elapsed seconds, counts)``, looking closely around ``expected_s``."""
        assert attempt.opened_at is not None
        began = time.monotonic() + max(0.0, attempt.opened_at - now())
        while True:
            tally = self._look(attempt)
            elapsed = time.monotonic() - began
            if over(elapsed, tally):
                return
            ahead = expected_s - elapsed
            gevent.sleep(min(LOOK_S, ahead) if ahead > 0 else LOOK_S)

    def _look(self, attempt: Attempt) -> Tally:
        """Take in what the workers say, and raise whatever ends this step early."""
        self.crew.check()
        self._request.heed()
        pulses = self._pulses()
        tally = total(pulse.tally for pulse in pulses.values())
        self._learn(attempt.cell, tally)
        self._progress.update(tally)
        for pulse in pulses.values():
            if pulse.fault:
                raise Stop("error_limit", f"{pulse.worker} cannot go on: {pulse.fault}")
            if pulse.exhausted:
                left = self.budget.left_after(tally.sent, tally.usd)
                raise Stop("budget", f"the budget is used up: the next request could pass it ({left} left)")
        return tally

    def _pulses(self) -> dict[str, Pulse]:
        return {client: pulse for client, pulse in self.crew.pulses.items() if pulse.number == self._number}

    def _learn(self, cell: Cell, tally: Tally) -> None:
        """Hold the news since the last look against the stopping rules."""
        ok, failures = tally.ok - self._seen.ok, Counter(tally.failures)
        failures.subtract(self._seen.failures)
        self._seen = tally
        now = time.monotonic()
        self._watches.target.observe(now, ok, failures)
        if self._watches.target.down(now):
            raise Stop("target_down", f"the endpoint cannot be reached ({', '.join(sorted(tally.failures))})")
        self._watches.observe(cell, ok, failures, tally.words)
        reason = self._watches.why_left_out(cell)
        if reason is not None:
            raise LeftOut(reason)


def _spoilt(tally: Tally) -> str:
    """Why the counts of a cell say nothing of its model: requests that failed here. "" where there were none."""
    ours = {kind: count for kind, count in tally.failures.items() if kind in NOT_THE_MODELS}
    return f"requests failed that say nothing of the service: {in_words(ours, tally.words)}" if ours else ""


def _window_judge(config: Config) -> WindowJudge | None:
    """What judges the windows; None where their length is fixed. Loads statistics: nothing else needs them during the load."""
    load = config.load
    if load.search is not None and load.search.of == "quota":
        return None
    if load.until == "fixed" and load.search is None and not load.stop_when_failing:
        return None
    from fmbench.load.controller.windows import WindowJudge

    return WindowJudge(config)

"""The controller steps the users through the cells: a greenlet on the master, or on the only process; never a LoadTestShape.

Each cell: users at the level behind a closed gate, every worker ready, gate open, warm-up, window, gate closed, every request in
flight over, counts from every worker, a line in ``cells.jsonl``. Nothing is ever cut off between cells.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent

from fmbench.config.load import stored_config
from fmbench.config.schema import Config
from fmbench.core.failures import Refused
from fmbench.core.plan import Plan, deal_slots
from fmbench.core.records import Cell
from fmbench.load.attempt import Attempt, Ledger
from fmbench.load.budget import Purse
from fmbench.load.crew import CellRefused, Crew, CrewChanged, NobodyLeft
from fmbench.load.remote import Outbox, greeting, outbox_of
from fmbench.load.status import Progress
from fmbench.load.step import StepOrder
from fmbench.load.stopping import ModelWatch, TargetWatch, window_over
from fmbench.load.tally import Tally, total

if TYPE_CHECKING:
    from fmbench.load.deciding import Deciding

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""A cell whose set of workers changed is void and measured again, so many times in all."""
LOOK_S = 0.2
GRACE_S = 25.0
"""How long requests in flight may go on after a signal."""
SLACK_S = 30.0
"""How much longer than a request's own deadline a worker may take to report its end."""


class Stop(Exception):
    """The run ends here. ``ended`` is the word for load.json."""

    def __init__(self, ended: str, message: str) -> None:
        super().__init__(message)
        self.ended = ended


class ModelLeftOut(Exception):
    """This model's remaining cells are not worth a request."""


@dataclass(slots=True)
class Outlook:
    """What the controller has learned of the targets."""

    target: TargetWatch = field(default_factory=TargetWatch)
    models: dict[str, ModelWatch] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    """Model → why its remaining cells are skipped."""


class Controller:
    """Runs the study of a prepared folder on the environment's load processes."""

    def __init__(self, environment: Any, folder: Path) -> None:
        self.config = stored_config((folder / "config.yml").read_text(), "config.yml")
        self.plan = Plan.from_json((folder / "plan.json").read_bytes())
        self.ledger = Ledger(folder)
        self.folder = folder
        self.crew = Crew(environment, self.plan.run_id)
        self.purse = Purse(self.config.budget, *self.ledger.used())
        self.outlook = Outlook()
        self.progress = Progress(self.config, self.plan, self.ledger.finished())
        self.deciding = _deciding(self.config)
        self._number = 0
        self._seen: Tally = Tally()
        self._stop: Stop | None = None
        self._impatient = False
        self.outbox: Outbox | None = None

    @property
    def stopping(self) -> bool:
        """Whether somebody asked for the end."""
        return self._stop is not None

    def stop(self, ended: str, message: str) -> None:
        """Ask for an orderly end; asked again, what is in flight is not waited for."""
        if self._stop is not None:
            self._impatient = True
        else:
            self._stop = Stop(ended, message)

    def run(self, endpoint: dict[str, str | None] | None) -> tuple[str, str]:
        """Measure every cell that is not done yet. Returns ``(ended, message)`` as load.json has them.

        Raises ``Refused`` when of all processes that joined none can take part.
        """
        self.crew.greeting = greeting(self.folder, self.config.region, endpoint)
        self.outbox = outbox_of(self.crew.greeting, self.folder)
        try:
            for cell in self.plan.cells:
                if cell.number not in self.ledger.finished():
                    self._run_cell(cell)
            return self._verdict()
        except Stop as stop:
            return stop.ended, str(stop)
        except NobodyLeft as error:
            if self._stop is not None:
                return self._stop.ended, str(self._stop)
            if not self.crew.members:
                raise Refused(str(error)) from None
            return "worker_lost", str(error)
        finally:
            self.progress.close()

    def _verdict(self) -> tuple[str, str]:
        lost = self.crew.lost()
        if {cell.model for cell in self.plan.cells} <= self.outlook.left_out.keys():
            reasons = "; ".join(f"{model}: {reason}" for model, reason in self.outlook.left_out.items())
            return "target_down", f"no model could be measured ({reasons})"
        if lost:
            return "worker_lost", f"lost on the way: {', '.join(lost)}"
        if self.outlook.target.never_there:
            return "target_down", "the endpoint was never reached"
        why = self.ledger.nothing_measured()
        return ("done", "") if why is None else ("error_limit", f"no cell could be measured ({why})")

    def _run_cell(self, cell: Cell) -> None:
        for _ in range(ATTEMPTS):
            if cell.model in self.outlook.left_out:
                reason = self.outlook.left_out[cell.model]
                self._write_line(self._new_attempt(cell).ended("skipped", reason))
                self.progress.cell_over(cell, "skipped", reason)
                return
            status = self._run_attempt(self._new_attempt(cell))
            if self._stop is not None:
                raise self._stop
            if status != "invalid":
                return

    def _new_attempt(self, cell: Cell) -> Attempt:
        return Attempt(cell, self.ledger.attempts(cell) + 1, {})

    def _run_attempt(self, attempt: Attempt) -> str:
        """One go at a cell, with its drain and its line in ``cells.jsonl`` however it ends."""
        self._number += 1
        self._seen = Tally()
        status, reason = "complete", ""
        try:
            self._make_ready(attempt)
            self._warm_up(attempt)
            self._measure(attempt)
        except Stop as stop:
            self._stop = self._stop or stop
            status, reason = "stopped", str(stop)
        except ModelLeftOut as error:
            self.outlook.left_out[attempt.cell.model] = str(error)
            status, reason = "skipped", str(error)
        except CellRefused as error:
            status, reason = "skipped", str(error)
        except CrewChanged as error:
            status, reason = "invalid", str(error)
        unfinished = self._drain(attempt)
        if unfinished and status == "complete":
            status, reason = "invalid", unfinished
        self._write_line(attempt.ended(status, reason))
        self.progress.cell_over(attempt.cell, status, reason)
        return status

    def _write_line(self, row: dict[str, Any]) -> None:
        """A line in cells.jsonl, here and where the run is stored: a report can be made should this machine be lost."""
        self.ledger.write(row)
        if self.outbox is not None:
            self.outbox.send("cells.jsonl")

    def _make_ready(self, attempt: Attempt) -> None:
        cell = attempt.cell
        self.crew.freeze()
        self._look(attempt)
        users = self.crew.have_users(cell.concurrency)
        slots = deal_slots(users)
        attempt.leases = self.purse.lease(users)
        spread = self.config.load.spread_s
        for client, (requests, usd) in attempt.leases.items():
            order = StepOrder(
                run_id=self.plan.run_id,
                number=self._number,
                cell=cell,
                slots=slots[client],
                spread_s=min(1.0, self.config.load.warmup_s) if spread is None else spread,
                requests=requests,
                usd=usd,
                counting=None if self.deciding is None else self.deciding.counting,
            )
            self.crew.tell("step", order.to_message(), client)
        self.crew.answers("step", self._number, users, SLACK_S * 2)

    def _warm_up(self, attempt: Attempt) -> None:
        warmup_s = self.config.load.warmup_s
        self.progress.cell_begins(attempt.cell, len(self.crew.frozen))
        attempt.opened_at = time.time()
        if not warmup_s:
            attempt.measure_at = attempt.opened_at
        self.crew.tell("open", {"number": self._number, "measured": not warmup_s})
        self._keep_on(attempt, warmup_s, lambda elapsed, tally: elapsed >= warmup_s)

    def _measure(self, attempt: Attempt) -> None:
        load = self.config.load
        if attempt.measure_at is None:
            attempt.measure_at = time.time()
            self.crew.tell("measure", {"number": self._number})

        window = None if self.deciding is None else self.deciding.window()

        def over(elapsed: float, tally: Tally) -> bool:
            decided = window is None or window(elapsed, tally.slices)
            return window_over(load, elapsed, tally.measured, decided)

        self._keep_on(attempt, load.duration_s, over)

    def _keep_on(self, attempt: Attempt, expected_s: float, over: Callable[[float, Tally], bool]) -> None:
        """Watch over the step until ``over(elapsed seconds, counts)``, looking closely around ``expected_s``."""
        began = time.monotonic()
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
        if self._stop is not None:
            raise self._stop
        pulses = self._pulses()
        tally = total(Tally.from_message(pulse["tally"]) for pulse in pulses.values())
        self._learn(attempt.cell, tally)
        self.progress.update(tally)
        for pulse in pulses.values():
            if pulse["fault"]:
                raise Stop("error_limit", f"{pulse['worker']} cannot go on: {pulse['fault']}")
            if pulse["exhausted"]:
                raise Stop("budget", f"the budget is used up: the next request could pass it ({self.purse_left(tally)})")
        return tally

    def purse_left(self, tally: Tally) -> str:
        """What the budget has left, this step's finished requests taken off."""
        left = Purse(self.config.budget, self.purse.requests + tally.sent, self.purse.usd + tally.usd)
        return f"{left.left()} left"

    def _pulses(self) -> dict[str, dict[str, Any]]:
        return {client: pulse for client, pulse in self.crew.pulses.items() if pulse["number"] == self._number}

    def _learn(self, cell: Cell, tally: Tally) -> None:
        """Hold the news since the last look against the stopping rules."""
        ok, failures = tally.ok - self._seen.ok, Counter(tally.failures)
        failures.subtract(self._seen.failures)
        self._seen = tally
        now = time.monotonic()
        self.outlook.target.observe(now, ok, failures)
        if self.outlook.target.down(now):
            raise Stop("target_down", f"the endpoint cannot be reached ({', '.join(sorted(tally.failures))})")
        watch = self.outlook.models.setdefault(cell.model, ModelWatch())
        watch.observe(ok, failures)
        reason = watch.hopeless(cell.concurrency)
        if reason is not None:
            raise ModelLeftOut(reason)

    def _drain(self, attempt: Attempt) -> str:
        """Close the gate and wait for every worker's counts. Returns what is missing, or nothing."""
        waiting = {client for client in attempt.leases if client in self.crew.present()}
        for client in waiting:
            self.crew.tell("drain", {"number": self._number, "timeout_s": self._drain_limit_s()}, client)
        began = time.monotonic()
        closed: set[str] = set()
        answers: dict[str, dict[str, Any]] = {}
        while waiting - answers.keys():
            for client in waiting - answers.keys():
                if self.crew.answered("closed", self._number, client):
                    closed.add(client)
                answer = self.crew.answered("drain", self._number, client)
                if answer is not None:
                    answers[client] = answer
            if attempt.drain_at is None and closed >= waiting:
                attempt.drain_at = time.time()
            waiting &= self.crew.present() | answers.keys()
            if self._too_long(time.monotonic() - began):
                break
            gevent.sleep(0.005)
        if attempt.drain_at is None and attempt.opened_at is not None:
            attempt.drain_at = time.time()
        return self._settle(attempt, answers)

    def _drain_limit_s(self) -> float:
        return self.config.load.timeouts.total_s + SLACK_S / 2

    def _too_long(self, waited_s: float) -> bool:
        if self._impatient:
            return True
        signalled = self._stop is not None and self._stop.ended in ("sigint", "sigterm")
        return waited_s > (GRACE_S if signalled else self._drain_limit_s() + SLACK_S)

    def _settle(self, attempt: Attempt, answers: dict[str, dict[str, Any]]) -> str:
        """Book what each worker used; of a worker that said nothing, all that it was allowed."""
        missing = []
        for client, (requests, usd) in attempt.leases.items():
            answer = answers.get(client)
            pulse = self._pulses().get(client)
            heard = answer or pulse
            tally = Tally() if heard is None else Tally.from_message(heard["tally"])
            if answer is None:
                missing.append(self.crew.members[client].name)
                self.purse.settle(requests or tally.sent, tally.usd if usd is None else usd)
            else:
                self.purse.settle(tally.sent, answer["lease"]["usd"])
            self._book(attempt, client, tally, 0.0 if answer is None else answer["lease"]["usd"])
            if answer is not None and tally.in_flight:
                missing.append(f"{self.crew.members[client].name} ({tally.in_flight} requests did not end)")
        self.progress.add(total(attempt.tallies.values()))
        return "no end seen from " + ", ".join(missing) if missing else ""

    def _book(self, attempt: Attempt, client: str, tally: Tally, usd: float) -> None:
        member = self.crew.members[client]
        member.sent += tally.sent
        member.ok += tally.ok
        member.failed += tally.failed
        attempt.tallies[member.name] = tally
        attempt.usd += usd


def _deciding(config: Config) -> Deciding | None:
    """What judges the windows; None where their length is fixed. Loads statistics: nothing else needs them during the load."""
    if config.load.until == "fixed":
        return None
    from fmbench.load.deciding import Deciding

    return Deciding(config)

"""The part of one load process in a run: from the master's hello until its files are closed."""

from __future__ import annotations

import errno
import logging
import time
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path

from fmbench.core.levels import plan_of_arrivals
from fmbench.core.quota.tokens import Quota
from fmbench.load import clock
from fmbench.load.deadlines import STORE_AT_THE_END_S, STORE_BETWEEN_CELLS_S
from fmbench.load.outbox import Outbox
from fmbench.load.protocol import Closed, Drain, Drained, Hello, Hurry, Open, Pulse, StepOrder, StoredFile
from fmbench.load.tally import Tally, WholeCounts
from fmbench.load.worker.arrivals import Arrivals
from fmbench.load.worker.burst import Volley
from fmbench.load.worker.files import Files
from fmbench.load.worker.gate import Gate
from fmbench.load.worker.health import HealthLog
from fmbench.load.worker.lease import Lease
from fmbench.load.worker.pacing import Pacing, pacing_of
from fmbench.load.worker.prepared import PreparedRun, clear_away
from fmbench.load.worker.sending import drop_what_was_due
from fmbench.load.worker.step import Step
from fmbench.storage.space import space_left

log = logging.getLogger(__name__)


class Participation:
    """Carries steps: one at a time, behind ``gate`` until it is opened."""

    def __init__(self, hello: Hello, folder: Path, outbox: Outbox | None, name: str, gate: Gate) -> None:
        self.run_id, self.name = hello.run_id, name
        self.step: Step | None = None
        self.prepared = PreparedRun(folder, hello.endpoint, name)
        self.health = HealthLog(folder / "health" / f"{name}.jsonl", name, self._counts)
        self.files = Files(folder, name, self.prepared.config.quality, outbox)
        self.epoch_offset_ns = clock.offset_ns()
        self.sealed = False
        self.pacing: Pacing | None = None
        """What holds back the step's requests; None: nothing does."""
        self._pacings: dict[tuple[str | float, ...], Pacing] = {}
        self._gate = gate
        self._seqs: Counter[int] = Counter()
        self._fault: str | None = None

    def next_seq(self, user: int) -> int:
        """How many requests this user of this process has sent before."""
        seq = self._seqs[user]
        self._seqs[user] = seq + 1
        return seq

    def now(self) -> float:
        """UTC epoch seconds on the clock that the records use."""
        return (time.monotonic_ns() + self.epoch_offset_ns) / 1e9

    def drift_s(self) -> float:
        """How far the wall clock has moved away from this process's stamps since it began."""
        return (time.time_ns() - time.monotonic_ns() - self.epoch_offset_ns) / 1e9

    def stored(self) -> dict[str, StoredFile]:
        """What this process has stored by itself."""
        return self.files.stored()

    def take_step(self, order: StepOrder) -> None:
        """Make everything ready for the next step, behind the closed gate, once nothing is on its way to the store."""
        self.files.wait_for_the_store(STORE_BETWEEN_CELLS_S)
        volley = self._volley(order)
        if volley is None:
            self.prepared.requests_of(order.cell)
        clear_away()
        self._pace(order)
        overrun = self.step.lease.overrun if self.step else 1.0
        lease = Lease(requests=order.requests, usd=order.usd, overrun=overrun)
        tally = Tally(whole=None if self.prepared.config.load.retry is None else WholeCounts())
        slots, arrivals = deque(order.slots), self._arrivals(order)
        self.step = Step(order=order, lease=lease, tally=tally, slots=slots, arrivals=arrivals, volley=volley)

    def _pace(self, order: StepOrder) -> None:
        """What holds back the requests of the step, with this process's part of the quota; what was taken before counts on."""
        share, quota = self.prepared.config.load.stay_under_quota, self.prepared.plan.quotas.get(order.cell.model)
        self.pacing = None
        if share is None or quota is None or not order.slots:
            return
        part = len(order.slots) / order.cell.concurrency
        key: tuple[str | float, ...] = (*self.prepared.whose_quota(order.cell), part)
        self.pacing = self._pacings.setdefault(key, pacing_of(Quota(**quota), share, part))

    def _volley(self, order: StepOrder) -> Volley | None:
        if order.burst is None:
            return None
        share = len(order.slots) / order.cell.concurrency
        return Volley(order.burst, self.prepared.burst_of(order.cell, order.burst), share)

    def _arrivals(self, order: StepOrder) -> Arrivals | None:
        if order.cell.rate_per_min is None:
            return None
        return Arrivals(plan_of_arrivals(self.prepared.config, order.cell), order.slots, order.cell.concurrency)

    def open(self, message: Open) -> None:
        """Let the users in."""
        step = self._step(message.number)
        if step is not None:
            at = message.opens_at
            self.health.begin()
            step.open(message.measured, None if at is None else round(at * 1e9) - self.epoch_offset_ns)
            self._gate.open(self, step)

    def measure(self, number: int) -> None:
        """The warm-up of a step is over."""
        step = self._step(number)
        if step is not None:
            step.measure()

    def close(self, attempts_go_on: bool = False) -> None:
        """Nobody starts another request; users leave after the one that they are in."""
        self._gate.close()
        if self.step is not None:
            self.step.close(attempts_go_on)

    def drain_begins(self, message: Drain) -> Closed:
        """Close the gate."""
        if self._step(message.number) is not None:
            self.close(message.attempts_go_on)
        return Closed(run_id=self.run_id, number=message.number)

    def drain(self, message: Drain) -> Drained:
        """Let every request in flight end, and say what became of all of them."""
        step = self._step(message.number)
        if step is None:
            return Drained(run_id=self.run_id, number=message.number, tally=Tally(), usd=0.0)
        if not step.empty.wait(message.timeout_s):
            step.no_more_attempts.set()
        drop_what_was_due(self, step)
        if not self.sealed and not step.tally.in_flight:  # a request that did not end keeps the part open for its end
            self.files.next_part()
        seen = [] if step.volley is None else step.volley.seen(self.epoch_offset_ns)
        return Drained(run_id=self.run_id, number=message.number, tally=step.tally, usd=step.lease.used_usd, seen=seen)

    def hurry(self, message: Hurry) -> None:
        """Requests that wait for a further attempt end as they are."""
        if (step := self._step(message.number)) is not None:
            step.no_more_attempts.set()

    def pulse(self) -> Pulse | None:
        """How far the step is; None before the first one."""
        step = self.step
        if step is None:
            return None
        return Pulse(
            run_id=self.run_id,
            worker=self.name,
            number=step.order.number,
            exhausted=step.lease.exhausted,
            fault=self._fault,
            users=step.users,
            tally=step.tally,
        )

    def fail(self, error: Exception) -> None:
        """This process cannot go on (its disk is full, say): no more requests; the next pulse tells why."""
        self._fault = f"{type(error).__name__}: {error}"
        self.close()

    def heed_space(self) -> None:
        """No more requests when the disk has little more than what sealing and the report take, or the run folder is gone."""
        try:
            left = space_left(self.prepared.folder)
        except FileNotFoundError:
            return self._miss_the_folder()
        if self._fault is None and left.short:
            self.fail(OSError(errno.ENOSPC, f"the disk of the run folder is almost full ({left.in_words()}): free some, or move"))

    def _miss_the_folder(self) -> None:
        """What was deleted is written again, as far as it is still open here; what was moved is where it is now."""
        if self._fault is None:
            self.fail(FileNotFoundError("the run folder was moved or deleted while the load ran"))
        with suppress(OSError):
            self.files.put_back()

    def wait_for_requests(self, within_s: float) -> None:
        """Until no request of the step is in flight."""
        if self.step is not None:
            self.step.empty.wait(within_s)

    def seal(self) -> bool:
        """Close the files, and store them where they are not in the run folder. Nothing is sent after it.

        False: not all is stored.
        """
        if not self.sealed:
            self.sealed = True
            self.close()
            self.health.close()
            self.files.close()
        missing = self.files.wait_for_the_store(STORE_AT_THE_END_S)
        if missing:
            log.error("not stored: %s", ", ".join(missing))
        return not missing

    def _step(self, number: int) -> Step | None:
        return self.step if self.step is not None and self.step.order.number == number else None

    def _counts(self) -> tuple[int, int, int]:
        tally = Tally() if self.step is None else self.step.tally
        return tally.in_flight, tally.sent, tally.done

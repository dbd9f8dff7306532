"""The one User class: it parks at the gate, then sends prompt after prompt, each as soon as the one before is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from locust import User, task

from fmbench.core.failures import Outcome
from fmbench.core.plan import prompt_at
from fmbench.core.records import Exchange, Record, complete
from fmbench.load.budget import cost_to_settle
from fmbench.load.step import Step
from fmbench.load.workplace import Deck
from fmbench.prompts.payload import salt_of

if TYPE_CHECKING:
    from fmbench.load.worker import Worker

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""After failures in a row a user pauses, twice as long each time: a service that refuses at once is not hammered."""


class BedrockUser(User):
    """A user of a foundation model with no thinking time: c of them keep c requests in flight."""

    @task
    def take_steps(self) -> None:
        """Go through every step that the gate opens for, until Locust ends this user."""
        worker: Worker = self.environment.fmbench_worker
        step: Step | None = None
        while True:
            step = worker.gate.wait(step)
            slot = step.take_slot()
            if slot is not None:
                try:
                    Seat(worker, step, slot).serve()
                except Exception as error:
                    worker.fail(error)
                    raise
                finally:
                    step.leave()


class Failed(Exception):
    """How Locust's own statistics hear of a failed request: one word, so that they stay small."""


class Seat:
    """One user's place in one step."""

    def __init__(self, worker: Worker, step: Step, slot: int) -> None:
        self.worker, self.step, self.slot = worker, step, slot
        self.cell = step.order.cell
        self.deck: Deck = worker.workplace.deck(self.cell)
        self.failures_in_a_row = 0

    def serve(self) -> None:
        """Send requests until the step is over or the budget gives no more."""
        due_ns = self.step.opened_ns + self._offset_ns()
        sent = 0
        while self._wait_until(due_ns):
            index = self._prompt_index(sent)
            bound = self.deck.bound_usd(index)
            if not self.step.lease.reserve(bound):
                return
            self._send(index, bound, due_ns)
            sent += 1
            due_ns = time.monotonic_ns() + self._pause_ns()

    def _send(self, index: int, bound_usd: float | None, due_ns: int) -> None:
        worker = self.worker
        record = self._new_record(index, due_ns)
        worker.journal.intent(record)
        counted_in = self.step.begin_request()
        salt = salt_of(record.run_id, record.worker, record.user, record.seq) if worker.workplace.salted else None
        exchange = self.deck.caller.call(self.deck.calls[index], salt)
        self._fill(record, exchange)
        self.step.lease.settle(bound_usd, cost_to_settle(exchange, record.usd, bound_usd))
        worker.journal.record(record)
        self.step.end_request(counted_in, record)
        self._tell(record, exchange, due_ns)

    def _new_record(self, index: int, due_ns: int) -> Record:
        cell, prompt, worker = self.cell, self.deck.prompts[index], self.worker
        return Record(
            run_id=self.step.order.run_id,
            worker=worker.name,
            user=self.slot,
            seq=worker.next_seq(self.slot),
            model=cell.model,
            model_id=cell.model_id,
            api=cell.api,
            dataset=cell.dataset,
            bucket=cell.bucket,
            concurrency=cell.concurrency,
            cell=cell.number,
            block=cell.block,
            phase=self.step.phase_at(due_ns),
            task=prompt.dataset,
            prompt_id=prompt.prompt_id,
            intended_at=(due_ns + worker.epoch_offset_ns) / 1e9,
            prompt_tokens=prompt.tokens,
            max_tokens=self.deck.max_tokens,
            region=self.deck.region,
        )

    def _fill(self, record: Record, exchange: Exchange) -> None:
        complete(record, exchange, self.worker.epoch_offset_ns)
        record.phase = self.step.phase_at(exchange.sent_ns or exchange.started_ns)
        if self.deck.price is not None:
            record.usd = self.deck.price.usd(exchange.usage, exchange.service_tier, exchange.latency_mode)

    def _tell(self, record: Record, exchange: Exchange, due_ns: int) -> None:
        """Tell the health log, the answers' file and Locust's own statistics; the record is safe already."""
        worker = self.worker
        self.failures_in_a_row = 0 if record.outcome == Outcome.OK else self.failures_in_a_row + 1
        if exchange.sent_ns is not None:
            connect_s = exchange.connect_s or 0.0
            worker.health.second.note_start((exchange.sent_ns - due_ns) / 1e9 - connect_s, exchange.connect_s is not None)
        if exchange.text is not None and record.outcome == Outcome.OK and worker.answers is not None:
            worker.answers.write(record, exchange.text)
        worker.environment.events.request.fire(
            request_type=record.api,
            name=request_name(record),
            response_time=(exchange.ended_ns - (exchange.sent_ns or exchange.started_ns)) / 1e6,
            response_length=exchange.received_bytes,
            exception=None if record.failure is None else Failed(record.failure),
            context={},
        )

    def _prompt_index(self, k: int) -> int:
        cell = self.cell
        count = len(self.deck.prompts)
        return prompt_at(self.worker.workplace.config.seed, cell.bucket, self.slot, k, cell.concurrency, count)

    def _offset_ns(self) -> int:
        """Users start spread evenly, by their slots."""
        return int(self.step.order.spread_s * 1e9 * self.slot / self.cell.concurrency)

    def _pause_ns(self) -> int:
        if self.failures_in_a_row == 0:
            return 0
        return int(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self.failures_in_a_row - 1, 10)) * 1e9)

    def _wait_until(self, due_ns: int) -> bool:
        """Wait for a moment; False when the step is over before or then."""
        ahead_s = (due_ns - time.monotonic_ns()) / 1e9
        if ahead_s > 0:
            self.step.closed.wait(ahead_s)
        return self.step.closed_ns is None


def request_name(record: Record) -> str:
    """The name of a record's row in Locust's own statistics."""
    return f"{record.model}|{record.bucket}|{record.concurrency}|{record.phase}"

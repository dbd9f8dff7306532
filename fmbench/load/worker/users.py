"""The one User class: it parks at the gate, then sends prompt after prompt, each as soon as the one before is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from locust import User, task

from fmbench.core.failures import Outcome
from fmbench.core.plan import prompt_at
from fmbench.core.records import Exchange, Record, complete
from fmbench.load.worker.lease import cost_to_settle
from fmbench.load.worker.prepared import CellRequests
from fmbench.load.worker.step import Step
from fmbench.prompts.payload import salt_of

if TYPE_CHECKING:
    from fmbench.load.worker.lifecycle import Worker
    from fmbench.load.worker.participation import Participation

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
            part, step = worker.gate.wait(step)
            slot = step.take_slot()
            if slot is not None:
                try:
                    ClosedLoop(self.environment, part, step, slot).send_until_closed()
                except Exception as error:
                    part.fail(error)
                    raise
                finally:
                    step.leave()


class Failed(Exception):
    """How Locust's own statistics hear of a failed request: one word, so that they stay small."""


class ClosedLoop:
    """One user's requests in one step: each begins when the one before is over."""

    def __init__(self, environment: Any, part: Participation, step: Step, slot: int) -> None:
        self.environment, self.part, self.step, self.slot = environment, part, step, slot
        self.cell = step.order.cell
        self.requests: CellRequests = part.prepared.requests_of(self.cell)
        self.failures_in_a_row = 0

    def send_until_closed(self) -> None:
        """Send requests until the step is over or the budget gives no more."""
        due_ns = self.step.opened_ns + self._offset_ns()
        sent = 0
        while self._wait_until(due_ns):
            index = self._prompt_index(sent)
            bound = self.requests.bound_usd(index)
            if not self.step.lease.reserve(bound):
                return
            self._send(index, bound, due_ns)
            sent += 1
            due_ns = time.monotonic_ns() + self._pause_ns()

    def _send(self, index: int, bound_usd: float | None, due_ns: int) -> None:
        part = self.part
        record = self._new_record(index, due_ns)
        part.files.journal.intent(record)
        counted_in = self.step.begin_request()
        salt = salt_of(record.run_id, record.worker, record.user, record.seq) if part.prepared.salted else None
        exchange = self.requests.caller.call(self.requests.calls[index], salt)
        self._fill(record, exchange)
        self.step.lease.settle(bound_usd, cost_to_settle(exchange, record.usd, bound_usd))
        part.files.journal.record(record)
        self.step.end_request(counted_in, record)
        self._tell(record, exchange, due_ns)

    def _new_record(self, index: int, due_ns: int) -> Record:
        cell, prompt, part = self.cell, self.requests.prompts[index], self.part
        return Record(
            run_id=self.step.order.run_id,
            worker=part.name,
            user=self.slot,
            seq=part.next_seq(self.slot),
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
            intended_at=(due_ns + part.epoch_offset_ns) / 1e9,
            prompt_tokens=prompt.tokens,
            max_tokens=self.requests.max_tokens,
            region=self.requests.region,
        )

    def _fill(self, record: Record, exchange: Exchange) -> None:
        complete(record, exchange, self.part.epoch_offset_ns)
        record.phase = self.step.phase_at(exchange.sent_ns or exchange.started_ns)
        if self.requests.price is not None:
            record.usd = self.requests.price.usd(exchange.usage, exchange.service_tier, exchange.latency_mode)

    def _tell(self, record: Record, exchange: Exchange, due_ns: int) -> None:
        """Tell the health log, the answers' file and Locust's own statistics; the record is safe already."""
        part = self.part
        self.failures_in_a_row = 0 if record.outcome == Outcome.OK else self.failures_in_a_row + 1
        if exchange.sent_ns is not None:
            connect_s = exchange.connect_s or 0.0
            part.health.second.note_start((exchange.sent_ns - due_ns) / 1e9 - connect_s, exchange.connect_s is not None)
        if exchange.text is not None and record.outcome == Outcome.OK and part.files.answers is not None:
            part.files.answers.write(record, exchange.text)
        self.environment.events.request.fire(
            request_type=record.api,
            name=request_name(record),
            response_time=(exchange.ended_ns - (exchange.sent_ns or exchange.started_ns)) / 1e6,
            response_length=exchange.received_bytes,
            exception=None if record.failure is None else Failed(record.failure),
            context={},
        )

    def _prompt_index(self, k: int) -> int:
        cell = self.cell
        count = len(self.requests.prompts)
        return prompt_at(self.part.prepared.config.seed, cell.bucket, self.slot, k, cell.concurrency, count)

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

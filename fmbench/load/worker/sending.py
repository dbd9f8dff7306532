"""One request from its intent to its record, each attempt at it: what closed and open loops have in common."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fmbench.core.failures import Outcome
from fmbench.core.plan import prompt_at
from fmbench.core.records import Exchange, Record, complete, record_of
from fmbench.core.retries import whole_request
from fmbench.load.contact import CONTACT
from fmbench.load.deadlines import LOOK_S
from fmbench.load.worker.arrivals import Arrival
from fmbench.load.worker.lease import cost_to_settle
from fmbench.load.worker.prepared import CellRequests
from fmbench.load.worker.retrying import Trying, Turn, held, next_turn, tryings_of
from fmbench.load.worker.step import Step

if TYPE_CHECKING:
    from fmbench.load.worker.participation import Participation


class Failed(Exception):
    """How Locust's own statistics hear of a failed request: one word, so that they stay small."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt that is over."""

    record: Record
    exchange: Exchange
    counted_in: int | None
    """The slice of the measured window that its request counts in."""


class Sender:
    """Sends one user's requests of one step."""

    def __init__(self, environment: Any, part: Participation, step: Step, slot: int) -> None:
        self.environment, self.part, self.step, self.slot = environment, part, step, slot
        cell = step.order.cell
        self.requests: CellRequests = part.prepared.requests_of(cell) if step.volley is None else step.volley.sizes[0]
        self._next_trying = tryings_of(part.prepared, cell, slot)

    def wait_until(self, due_ns: int) -> bool:
        """Wait for a moment; False when the step is over before or then."""
        ahead_s = (due_ns - time.monotonic_ns()) / 1e9
        if ahead_s > 0:
            self.step.closed.wait(ahead_s)
        return self.step.closed_ns is None

    def send(self, index: int, due_ns: int) -> Exchange | None:
        """Send prompt ``index``, which was due at ``due_ns``, and see it to its end, further attempts included.

        None: the budget gives no more, or the step ended while the client held the request back.
        """
        trying = self._next_trying()
        if trying is None:
            sent = self._attempt(index, Turn(due_ns))
            tries = [] if sent is None else [sent]
        else:
            tries = self._see_through(index, trying, due_ns)
        if not tries:
            return None
        whole = whole_request([sent.record for sent in tries])  # from sending: a late load process fails no level
        self.step.end_request(tries[0].counted_in, whole)
        return None if self.step.lease.exhausted else tries[-1].exchange

    def _see_through(self, index: int, trying: Trying, due_ns: int) -> list[Sent]:
        """All attempts: until one is the last by the rule, the budget gives no more, or the step lets nobody try again."""
        tries: list[Sent] = []
        turn = held(trying, self.step, Turn(due_ns))
        while turn is not None and (sent := self._attempt(index, turn, tries)) is not None:
            tries.append(sent)
            turn = next_turn(trying, self.step, sent.exchange, len(tries))
        return tries

    def _attempt(self, index: int, turn: Turn, before: Sequence[Sent] = ()) -> Sent | None:
        """One attempt, the one after those ``before``, from its intent to its record. None: the budget gives no more, or the
        master has gone on without this process."""
        if CONTACT.is_lost() and not self._is_found_again():
            return None
        pacing, prompt_tokens, max_tokens = self.part.pacing, self.requests.prompts[index].tokens, self.requests.max_tokens
        paced_s = None if pacing is None else pacing.hold(self.step, prompt_tokens, max_tokens)
        if pacing is not None and paced_s is None:
            return None
        bound_usd = self.requests.bounds_usd[index]
        if not self.step.lease.reserve(bound_usd):
            return None
        part, step = self.part, self.step
        turn = turn if not paced_s else replace(turn, due_ns=turn.due_ns + round(paced_s * 1e9))
        record = new_record(part, step, self.requests, self.slot, index, turn.due_ns)
        record.attempt, record.backoff_s, record.paced_s = len(before) + 1, turn.backoff_s, paced_s
        part.files.journal.intent(record)
        step.tally.sent += 1
        counted_in = None if before else step.begin_request()
        salt = self.requests.salt_for(before[0].record if before else record)
        exchange = self.requests.caller.call(self.requests.calls[index], salt)
        self._fill(record, exchange)
        if pacing is not None:
            pacing.settle(exchange, prompt_tokens, max_tokens)
        step.lease.settle(bound_usd, cost_to_settle(exchange, record.usd, bound_usd))
        part.files.journal.record(record)
        step.tally.add(record)
        self._tell(record, exchange, turn.due_ns)
        return Sent(record, exchange, counted_in)

    def _is_found_again(self) -> bool:
        """Wait until the master answers; False when the step is over before."""
        while CONTACT.is_lost():
            if self.step.closed.wait(LOOK_S):
                return False
        return True

    def _fill(self, record: Record, exchange: Exchange) -> None:
        complete(record, exchange, self.part.epoch_offset_ns)
        record.phase = self.step.phase_at(exchange.sent_ns or exchange.started_ns)
        if self.requests.price is not None:
            record.usd = self.requests.price.usd(exchange.usage, exchange.service_tier, exchange.latency_mode)

    def _tell(self, record: Record, exchange: Exchange, due_ns: int) -> None:
        """Tell the health log, the answers' file and Locust's own statistics; the record is safe already."""
        part = self.part
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


def new_record(part: Participation, step: Step, requests: CellRequests, slot: int, index: int, due_ns: int) -> Record:
    """The record of a request that is about to be sent."""
    return record_of(
        step.order.cell,
        requests.prompts[index],
        run_id=part.run_id,
        worker=part.name,
        user=slot,
        seq=part.next_seq(slot),
        phase=step.phase_at(due_ns),
        intended_at=(due_ns + part.epoch_offset_ns) / 1e9,
        max_tokens=requests.max_tokens,
        region=requests.region,
    )


def prompt_of(part: Participation, step: Step, requests: CellRequests, arrival: Arrival) -> int:
    """The prompt of an open loop's request: the same on any number of load processes."""
    return prompt_at(part.prepared.config.seed, step.order.cell.bucket, 0, arrival.number, 1, len(requests.prompts))


def drop(part: Participation, step: Step, arrival: Arrival, slot: int) -> None:
    """Write down a request that was due and could not be started, as one of the user's ``slot``, who has none in flight."""
    requests = part.prepared.requests_of(step.order.cell)
    due_ns = step.opened_ns + round(arrival.due_s * 1e9)
    record = new_record(part, step, requests, slot, prompt_of(part, step, requests, arrival), due_ns)
    record.outcome = Outcome.DROPPED
    part.files.journal.record(record)
    step.tally.dropped += 1
    step.tally.window.dropped += record.phase == "measure"
    step.drop_request(due_ns)


def drop_what_was_due(part: Participation, step: Step) -> None:
    """The step is over: what was due since it opened, and nobody was free to send, is dropped."""
    opened = step.opened_ns > 0  # one that is given up before has no moments
    if step.arrivals is not None and opened and step.closed_ns is not None and not part.sealed:
        for arrival in step.arrivals.overdue((step.closed_ns - step.opened_ns) / 1e9):
            drop(part, step, arrival, arrival.number % step.order.cell.concurrency)


def request_name(record: Record) -> str:
    """The name of a record's row in Locust's own statistics."""
    return f"{record.model}|{record.bucket}|{record.concurrency}|{record.phase}"

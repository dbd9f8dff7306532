"""The end of an attempt: the gate is closed, every request in flight may end, and what each worker used is booked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import gevent

from fmbench.config.schema import Config, Load
from fmbench.load.clock import now
from fmbench.load.controller.budget import RunBudget, Used
from fmbench.load.controller.cell_log import Attempt
from fmbench.load.controller.crew import Crew
from fmbench.load.controller.interrupts import StopRequest
from fmbench.load.deadlines import DRAIN_REPORT_S, GRACE_S, SLACK_S
from fmbench.load.protocol import Closed, Drain, Drained, Hurry, Pulse
from fmbench.load.tally import Tally

CLOSELY_S, ENDING_S = 0.005, 0.025
"""Between looks: until every gate is closed, which is when the window ends; and while the requests in flight end."""

Pulses = Callable[[], Mapping[str, Pulse]]


class Draining:
    """Drains attempts."""

    def __init__(self, config: Config, crew: Crew, budget: RunBudget, request: StopRequest) -> None:
        self._limit_s = _longest_s(config.load) + DRAIN_REPORT_S
        self._crew = crew
        self._budget = budget
        self._request = request

    def drain(self, attempt: Attempt, number: int, pulses: Pulses) -> str:
        """Close the gate and wait for every worker's counts. Returns what is missing, or nothing."""
        answers = self._wait_for_the_end(attempt, number)
        if attempt.drain_at is None and attempt.opened_at is not None:
            attempt.drain_at = now()
        return self._settle(attempt, answers, pulses())

    def _wait_for_the_end(self, attempt: Attempt, number: int) -> dict[str, Drained]:
        crew = self._crew
        waiting = {client for client in attempt.leases if client in crew.present()}
        unhurried = self._request.stop is None
        order = Drain(run_id=crew.run_id, number=number, timeout_s=self._limit_s, attempts_go_on=unhurried)
        for client in attempt.leases:  # one that is out of reach hears it when it comes back
            crew.tell(order, client)
        began = time.monotonic()
        closed: set[str] = set()
        answers: dict[str, Drained] = {}
        while waiting - answers.keys() and not self._too_long(time.monotonic() - began):
            if unhurried and self._request.stop is not None:
                unhurried = False
                crew.tell(Hurry(run_id=crew.run_id, number=number))
            for client in waiting - answers.keys():
                if crew.answered(Closed, number, client):
                    closed.add(client)
                answer = crew.answered(Drained, number, client)
                if answer is not None:
                    answers[client] = answer
            if attempt.drain_at is None and closed >= waiting:
                attempt.drain_at = now()
            waiting &= crew.present() | answers.keys()
            gevent.sleep(CLOSELY_S if attempt.drain_at is None else ENDING_S)
        return answers

    def _too_long(self, waited_s: float) -> bool:
        if self._request.impatient:
            return True
        return waited_s > (GRACE_S if self._request.signalled else self._limit_s + SLACK_S)

    def _settle(self, attempt: Attempt, answers: Mapping[str, Drained], pulses: Mapping[str, Pulse]) -> str:
        """Book what each worker used; of a worker that said nothing, all that it was allowed."""
        missing = []
        for client, (requests, usd) in attempt.leases.items():
            answer, pulse = answers.get(client), pulses.get(client)
            heard = answer or pulse
            tally = Tally() if heard is None else heard.tally
            if answer is None or client not in self._crew.present():
                attempt.gone[self._crew.name_of(client)] = attempt.slots.get(client, [])
            if answer is None:
                missing.append(self._crew.name_of(client))
                used = Used(requests=requests or tally.sent, usd=tally.usd if usd is None else usd)
                attempt.unheard.append(self._crew.name_of(client))
                attempt.allowed += used
            else:
                used = Used(requests=tally.sent, usd=answer.usd)
                attempt.seen += answer.seen
            self._book(attempt, client, tally, used)
            if answer is not None and tally.in_flight:
                missing.append(f"{self._crew.name_of(client)} ({tally.in_flight} requests did not end)")
        return "no end seen from " + ", ".join(missing) if missing else ""

    def _book(self, attempt: Attempt, client: str, tally: Tally, used: Used) -> None:
        """The run's budget and the cell's line, which a resumed run starts from, get the same value."""
        self._budget.settle(used.requests, used.usd)
        attempt.used += used
        member = self._crew.members[client]
        member.sent += tally.sent
        member.ok += tally.ok
        member.failed += tally.failed
        member.dropped += tally.dropped
        attempt.tallies[member.name] = tally


def _longest_s(load: Load) -> float:
    """The longest that a request may take, with all its attempts."""
    if load.retry is None:
        return load.timeouts.total_s
    return load.retry.longest_s + load.retry.most_attempts * load.timeouts.total_s

"""An open loop: requests begin by the plan, whatever the answers do.

Each user that is free takes the process's next arrival and waits for its moment. So an arrival that is overdue when a user comes
back was due while every user had a request in flight, and is dropped; one that became due since that user's last answer came is
the load process's own lateness, and is sent late. Moments are never shifted.
"""

from __future__ import annotations

import time

import gevent

from fmbench.load.worker.arrivals import Arrivals
from fmbench.load.worker.sending import Sender, drop, prompt_of
from fmbench.load.worker.step import Step

EARLY_S = 0.0015
"""Timers of the event loop ring up to a millisecond late: a user wakes so much earlier, and lets others go on till its moment."""
MOST_EARLY = 200
"""Requests a second of a process up to which users wake early: at more of them that alone would take a core."""


def send_by_plan(sender: Sender, arrivals: Arrivals) -> None:
    """Send what is due until the step is over, the plan is done or the budget gives no more."""
    part, step = sender.part, sender.step
    free_since_s, early_s = 0.0, _early_s(step)
    while not step.over:
        for missed in arrivals.overdue(free_since_s):
            drop(part, step, missed, sender.slot)
        arrival = arrivals.take()
        if arrival is None:
            step.closed.wait()
            return
        due_ns = step.opened_ns + round(arrival.due_s * 1e9)
        if not _wait_until(sender, due_ns, early_s):
            if step.closed_ns is not None and due_ns <= step.closed_ns:
                drop(part, step, arrival, sender.slot)
            return
        exchange = sender.send(prompt_of(part, step, sender.requests, arrival), due_ns)
        if exchange is None:
            return
        free_since_s = (exchange.ended_ns - step.opened_ns) / 1e9


def _early_s(step: Step) -> float:
    """How long before its moment a user wakes."""
    cell = step.order.cell
    a_second = (cell.rate_per_min or 0.0) / 60 * len(step.order.slots) / cell.concurrency
    return EARLY_S if a_second <= MOST_EARLY else 0.0


def _wait_until(sender: Sender, due_ns: int, early_s: float) -> bool:
    """Wait for a moment; False when the step is over before or then."""
    open_still = sender.wait_until(due_ns - round(early_s * 1e9))
    while open_still and time.monotonic_ns() < due_ns:
        gevent.sleep(0)
        open_still = not sender.step.over
    return open_still

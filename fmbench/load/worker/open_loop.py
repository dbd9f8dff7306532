"""An open loop: requests begin by the plan, whatever the answers do.

Each user that is free takes the process's next arrival and waits for its moment. So an arrival that is overdue when a user comes
back was due while every user had a request in flight, and is dropped; one that became due since that user's last answer came is
the load process's own lateness, and is sent late. Moments are never shifted.
"""

from __future__ import annotations

from fmbench.load.worker.arrivals import Arrivals
from fmbench.load.worker.sending import Sender, drop, prompt_of


def send_by_plan(sender: Sender, arrivals: Arrivals) -> None:
    """Send what is due until the step is over, the plan is done or the budget gives no more."""
    part, step = sender.part, sender.step
    free_since_s = 0.0
    while not step.over:
        for missed in arrivals.overdue(free_since_s):
            drop(part, step, missed, sender.slot)
        arrival = arrivals.take()
        if arrival is None:
            step.closed.wait()
            return
        due_ns = step.opened_ns + round(arrival.due_s * 1e9)
        if not sender.wait_until(due_ns):
            if step.closed_ns is not None and due_ns <= step.closed_ns:
                drop(part, step, arrival, sender.slot)
            return
        exchange = sender.send(prompt_of(part, step, sender.requests, arrival), due_ns)
        if exchange is None:
            return
        free_since_s = (exchange.ended_ns - step.opened_ns) / 1e9

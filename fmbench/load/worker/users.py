"""The one User class: it parks at the gate, then sends prompt after prompt, as the step's kind of load says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from locust import User, task

from fmbench.load.worker.burst import send_burst
from fmbench.load.worker.closed_loop import send_until_closed
from fmbench.load.worker.open_loop import send_by_plan
from fmbench.load.worker.sending import Sender
from fmbench.load.worker.step import Step

if TYPE_CHECKING:
    from fmbench.load.worker.lifecycle import Worker


class BedrockUser(User):
    """A user of a foundation model: c of them keep c requests in flight, or carry what an open loop's plan brings."""

    @task
    def take_steps(self) -> None:
        """Go through every step that the gate opens for, until Locust ends this user."""
        worker: Worker = self.environment.fmbench_worker
        step: Step | None = None
        while True:
            part, step = worker.gate.wait(step)
            slot = step.take_slot()
            if slot is None:
                continue
            try:
                sender = Sender(self.environment, part, step, slot)
                if step.volley is not None:
                    send_burst(sender, step.volley)
                elif step.arrivals is None:
                    send_until_closed(sender)
                else:
                    send_by_plan(sender, step.arrivals)
            except Exception as error:
                part.fail(error)
                raise
            finally:
                step.leave()
                if step.volley is not None and step.users == 0:
                    worker.tell_pulse()  # the next burst may be due at once

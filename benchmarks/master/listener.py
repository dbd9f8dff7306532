"""A master that only listens: Locust's runner, our crew, and the controller's look at the pulses. Prints its CPU as JSON.

``python -m benchmarks.master.listener PROCESSES SECONDS``: prints its port, waits for that many load processes, then measures.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from locust import User  # noqa: E402
from locust.env import Environment  # noqa: E402

from fmbench.load import transport  # noqa: E402
from fmbench.load.controller.crew import Crew  # noqa: E402
from fmbench.load.controller.members import Member  # noqa: E402
from fmbench.load.deadlines import LOOK_S  # noqa: E402
from fmbench.load.tally import total  # noqa: E402

LIMIT_S = 120


class Listening(Crew):
    """Counts the pulses, too."""

    heard = 0

    def _hear(self, kind: str, environment: Any, msg: Any) -> None:
        self.heard += kind == "pulse"
        if msg.node_id not in self.members:
            self._greeted[msg.node_id] = 0.0
            self._welcome(Member(msg.node_id, msg.node_id))
        super()._hear(kind, environment, msg)

    def _compare_clocks(self, member: Member) -> bool:
        return True


def main(processes: int, seconds: float) -> None:
    """Listen, look, measure."""
    environment = Environment(user_classes=[User])
    transport.install()
    runner = environment.create_master_runner("127.0.0.1", 0)
    crew = Listening(environment, "run")
    print(runner.server.port, flush=True)
    with gevent.Timeout(LIMIT_S, SystemExit("the load processes were not heard")):
        while len(crew.pulses) < processes:
            gevent.sleep(0.1)
    before = crew.heard
    cpu, began = time.process_time(), time.monotonic()
    while time.monotonic() - began < seconds:
        total(pulse.tally for pulse in crew.pulses.values())
        gevent.sleep(LOOK_S)
    took = time.monotonic() - began
    present = len(crew.present())
    print(
        json.dumps({"cpu": (time.process_time() - cpu) / took, "pulses_per_s": (crew.heard - before) / took, "present": present}),
        flush=True,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))

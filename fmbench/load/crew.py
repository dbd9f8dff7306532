"""The load processes as the controller sees them: which ones there are, what they were told, and what they answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import gevent
from locust.dispatch import UsersDispatcher
from locust.rpc import Message
from locust.runners import STATE_INIT, STATE_RUNNING, STATE_SPAWNING, MasterRunner

log = logging.getLogger(__name__)

LOCAL = "local"
READY_S = 60.0
"""How long every worker may take to have its users and to get ready for a step."""
CLOCK_ROUNDS = 5
FAREWELL_S = 100.0
"""How long workers may take to let requests in flight end and to store what they have when the run lets them go."""
COME_BACK_S = 5.0
"""How long a worker that went silent may take to come back before the others go on without it."""


class CrewChanged(Exception):
    """A worker was lost, or does not answer: the cell that was being measured is void."""


class NobodyLeft(Exception):
    """There is no worker to go on with."""


class CellRefused(Exception):
    """A worker cannot carry the cell, and no other could: why stands in the message."""


class LateComersWait(UsersDispatcher):
    """Locust's dispatcher, but a worker that joins is given no users in the middle of a cell: ``Crew.freeze`` makes a new one."""

    shaken = False
    """Whether a worker was lost, be it for a moment: Locust has moved users since."""

    def add_worker(self, worker_node: Any) -> None:
        """Not now."""

    def remove_worker(self, worker_node: Any) -> None:
        """Locust moves the worker's users to the others; where they are is known no more."""
        self.shaken = True
        super().remove_worker(worker_node)


@dataclass(slots=True)
class Member:
    """One load process."""

    client_id: str
    name: str
    host: str = ""
    pid: int = 0
    offset_s: float = 0.0
    """What to take from its stamps to get this process's time."""
    round_trip_s: float | None = None
    endpoint_round_trip_s: float | None = None
    """The shortest TCP connect to the endpoint, from where it runs; None: not known, or the endpoint is on its machine."""
    region: str | None = None
    """The AWS region that its machine says it is in."""
    drift_s: float | None = None
    sent: int = 0
    ok: int = 0
    failed: int = 0
    lost: bool = False
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What it stored by itself: bytes, lines and SHA-256 by name."""

    def to_row(self) -> dict[str, Any]:
        """The worker's line in load.json."""
        counts = {"sent": self.sent, "ok": self.ok, "failed": self.failed, "abandoned": self.sent - self.ok - self.failed}
        clock = {"offset_s": self.offset_s, "round_trip_s": self.round_trip_s, "drift_s": self.drift_s}
        place = {"endpoint_round_trip_s": self.endpoint_round_trip_s, "region": self.region}
        row = {"id": self.name, "host": self.host, "pid": self.pid, **place, **counts, "lost": self.lost, "clock": clock}
        return row | ({"parts": self.parts} if self.parts else {})


class Crew:
    """Speaks to every load process, or to this process itself when it runs alone."""

    def __init__(self, environment: Any, run_id: str) -> None:
        self.environment = environment
        self.runner = environment.runner
        self.run_id = run_id
        self.greeting: dict[str, Any] = {}
        """What a process that joins is told besides the run's id."""
        self.members: dict[str, Member] = {}
        self.frozen: set[str] = set()
        self.leaving: set[str] = set()
        """Processes that were told to end: they wait to be let go."""
        self.pulses: dict[str, dict[str, Any]] = {}
        self._acks: dict[tuple[str, int | None, str], dict[str, Any]] = {}
        self.runner.register_message("fmbench_ack", self._hear_ack)
        self.runner.register_message("fmbench_pulse", self._hear_pulse)
        self.runner.register_message("fmbench_leaving", self._hear_leaving)

    @property
    def distributed(self) -> bool:
        return isinstance(self.runner, MasterRunner)

    def present(self) -> set[str]:
        """The client ids of the load processes that are there now."""
        if not self.distributed:
            return {LOCAL}
        states = (STATE_INIT, STATE_SPAWNING, STATE_RUNNING)
        return {client.id for client in self.runner.clients.all if client.state in states}

    def freeze(self) -> None:
        """The set of workers that carries the next cell is the one that is there now. Raises ``NobodyLeft``."""
        self._let_go(self.leaving & self.present())
        self._wait_for_missing()
        before, self.frozen = self.frozen, self.present()
        if not self.frozen:
            raise NobodyLeft("no worker is left")
        self._greet({client for client in self.frozen if client not in self.members})
        if self.distributed and (self.frozen != before or self._shaken):
            self._deal_anew()

    def _deal_anew(self) -> None:
        """Take every user away, so that the next ones are spread over the workers that are there now and no others."""
        self.runner._users_dispatcher = None
        self.runner.start(0, 1)
        self._wait(lambda: self.runner.user_count == 0, "idle workers")

    def check(self) -> None:
        """Raise ``CrewChanged`` when a worker of the frozen set is gone."""
        gone = self.frozen - self.present()
        if gone:
            raise CrewChanged("lost " + ", ".join(sorted(self._name(client) for client in gone)))
        going = self.frozen & self.leaving
        if going:
            raise CrewChanged(", ".join(sorted(self._name(client) for client in going)) + " was told to end")
        if self._shaken:
            raise CrewChanged("a worker was out of reach for some seconds")

    def lost(self) -> list[str]:
        """The names of the workers that began with the run and are not there any more."""
        present = self.present()
        for client, member in self.members.items():
            member.lost = client not in present
        return sorted(member.name for member in self.members.values() if member.lost)

    @property
    def _shaken(self) -> bool:
        return bool(getattr(self.runner._users_dispatcher, "shaken", False))

    def have_users(self, count: int) -> dict[str, int]:
        """Bring the number of users to ``count`` over all workers; returns how many each carries."""
        self.runner.start(count, max(count, self.runner.user_count, 1))
        self._wait(lambda: self.runner.user_count == count and self._spawned(), f"{count} users")
        if not self.distributed:
            return {LOCAL: count}
        return {client: self.runner.clients[client].user_count for client in sorted(self.frozen)}

    def tell(self, kind: str, data: dict[str, Any], client: str | None = None) -> None:
        """Send a message to one worker of the frozen set, or to each."""
        for target in [client] if client is not None else sorted(self.frozen):
            message = {"run_id": self.run_id, **data}
            if self.distributed:
                self.runner.send_message(f"fmbench_{kind}", message, target)
            else:
                self.runner.send_message(f"fmbench_{kind}", message)

    def answers(self, kind: str, number: int | None, clients: Iterable[str], timeout_s: float) -> dict[str, dict[str, Any]]:
        """The answer of each of ``clients``. Raises ``CrewChanged`` when one is lost or silent, ``CellRefused`` on an error."""
        found = self._replies(kind, number, clients, timeout_s)
        for client, answer in found.items():
            if answer.get("error"):
                raise CellRefused(f"{self._name(client)}: {answer['error']}")
        return found

    def _replies(self, kind: str, number: int | None, clients: Iterable[str], timeout_s: float) -> dict[str, dict[str, Any]]:
        wanted = {client: (kind, number, client) for client in clients}
        self._wait(lambda: all(key in self._acks for key in wanted.values()), f"{kind} from every worker", timeout_s)
        return {client: self._acks.pop(key) for client, key in wanted.items()}

    def answered(self, kind: str, number: int, client: str) -> dict[str, Any] | None:
        """A worker's answer if it is there; it is taken away."""
        return self._acks.pop((kind, number, client), None)

    def _spawned(self) -> bool:
        greenlet = self.runner.spawning_greenlet
        return bool(self.distributed or greenlet is None or greenlet.ready())

    def _wait(self, ready: Callable[[], bool], what: str, timeout_s: float = READY_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise CrewChanged(f"no {what} within {timeout_s:.0f} s")
            gevent.sleep(0.002)

    def _greet(self, clients: set[str]) -> None:
        """Tell newcomers which run this is, and measure how far their clocks are off."""
        for client in clients:
            self.tell("hello", self.greeting, client)
        for client, answer in self._replies("hello", None, clients, READY_S).items():
            if answer.get("error"):
                self._send_away(client, answer["error"])
            else:
                self.members[client] = Member(
                    client,
                    answer["worker"],
                    answer["host"],
                    answer["pid"],
                    endpoint_round_trip_s=answer["endpoint_round_trip_s"],
                    region=answer["region"],
                )
                if self.distributed:
                    self._compare_clocks(self.members[client])

    def _send_away(self, client: str, why: str) -> None:
        """A process that cannot take part (it belongs to another run, or sees no run folder) must not be given users."""
        if not self.distributed:
            raise CellRefused(why)
        log.error("%s is sent away: %s", client, why)
        self._dismiss(client)
        if not self.frozen:
            raise NobodyLeft(f"no worker can take part: {why}")

    def _dismiss(self, client: str) -> None:
        self.frozen.discard(client)
        self.runner.clients.pop(client, None)
        self.runner.server.send_to_client(Message("quit", None, client))  # type: ignore[no-untyped-call]

    def _let_go(self, clients: set[str]) -> None:
        """Processes that were told to end do so, with everything that they have where it belongs."""
        self.part_with(clients)
        for client in clients:
            self._dismiss(client)

    def part_with(self, clients: set[str]) -> None:
        """Have ``clients`` close and store their files. Waits until each has said so, or is gone."""
        for client in sorted(clients):
            self.tell("bye", {}, client)
        waiting, deadline = set(clients), time.monotonic() + FAREWELL_S
        while waiting and time.monotonic() < deadline:
            for client in sorted(waiting):
                answer = self._acks.pop(("bye", None, client), None)
                if answer is not None:
                    self.members[client].drift_s = answer.get("drift_s")
                    waiting.discard(client)
            waiting &= self.present()
            gevent.sleep(0.01)

    def _compare_clocks(self, member: Member) -> None:
        """The offset is taken from the exchange with the shortest round trip."""
        for number in range(CLOCK_ROUNDS):
            before = time.time()
            self.tell("clock", {"number": number}, member.client_id)
            answer = self.answers("clock", number, [member.client_id], READY_S)[member.client_id]
            trip = answer["heard_at"] - before
            if member.round_trip_s is None or trip < member.round_trip_s:
                member.round_trip_s, member.offset_s = trip, answer["epoch"] - (before + trip / 2)

    def _wait_for_missing(self) -> None:
        """Give workers that are out of reach a moment to come back, then take them away before Locust does: it would move users
        about in the middle of a cell when it notices."""
        if self.distributed:
            deadline = time.monotonic() + COME_BACK_S
            while self.runner.clients.missing and time.monotonic() < deadline:
                gevent.sleep(0.1)
            for client in self.runner.clients.missing:
                del self.runner.clients[client.id]

    def _name(self, client: str) -> str:
        return self.members[client].name if client in self.members else client

    def _hear_ack(self, environment: Any, msg: Any) -> None:
        if msg.data.get("run_id") in (self.run_id, ""):
            self._acks[msg.data["kind"], msg.data.get("number"), msg.node_id] = {**msg.data, "heard_at": time.time()}
            if msg.data.get("parts") and msg.node_id in self.members:
                self.members[msg.node_id].parts = msg.data["parts"]

    def _hear_leaving(self, environment: Any, msg: Any) -> None:
        if msg.data["run_id"] == self.run_id:
            self.leaving.add(msg.node_id)

    def _hear_pulse(self, environment: Any, msg: Any) -> None:
        self.pulses[msg.node_id] = msg.data

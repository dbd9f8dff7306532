"""The load processes as the controller sees them: which ones there are, what they were told, and what they answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gevent
from locust.rpc import Message as LocustMessage
from locust.runners import STATE_INIT, STATE_RUNNING, STATE_SPAWNING, MasterRunner

from fmbench.load import transport
from fmbench.load.clock import now
from fmbench.load.controller.forks import end_fork
from fmbench.load.controller.locust_master import LateComersWait
from fmbench.load.controller.members import CellRefused, CrewChanged, Member, NobodyLeft, lost_members
from fmbench.load.controller.replies import Replies, Reply
from fmbench.load.deadlines import COME_BACK_S, FAREWELL_S, READY_S, REPLACEMENT_S, SETTLE_S, SETTLED_S
from fmbench.load.protocol import (
    IGNORED,
    PREFIX,
    REPLIES,
    Bye,
    ClockAnswer,
    ClockQuestion,
    Gone,
    Hello,
    Joined,
    Leaving,
    Message,
    Pulse,
    StepReady,
    Unable,
    decode,
    encode,
    kind_of,
)

log = logging.getLogger(__name__)

LOCAL = "local"
CLOCK_ROUNDS = 5


class Crew:
    """Speaks to every load process, or to this process itself when it runs alone.

    ``interrupt`` is called wherever the crew waits between cells: it raises what ends the waiting.
    """

    def __init__(self, environment: Any, run_id: str, interrupt: Callable[[], None] = lambda: None) -> None:
        self.environment = environment
        self.runner = environment.runner
        self.run_id = run_id
        self.hello: Hello | None = None
        """What a process that joins is told; None: none is to join yet."""
        self.members: dict[str, Member] = {}
        self.frozen: set[str] = set()
        """The members that carry the current cell."""
        self.leaving: set[str] = set()
        """Processes that were told to end: they wait to be let go."""
        self.pulses: dict[str, Pulse] = {}
        self._interrupt = interrupt
        self._greeted: dict[str, float] = {}
        """Processes that were greeted, and when."""
        self._silent: dict[str, float] = {}
        """Processes that are out of reach, and since when."""
        self._turned_down = ""
        """Why the last process that could not take part could not."""
        self._replies = Replies()
        for kind in REPLIES:
            self.runner.register_message(PREFIX + kind, partial(self._hear, kind))

    @property
    def distributed(self) -> bool:
        return isinstance(self.runner, MasterRunner)

    @property
    def replaceable(self) -> bool:
        """Whether a load process that is lost can come back as another: not a fork of this process."""
        return self.distributed and not getattr(self.environment.parsed_options, "processes", None)

    def present(self) -> set[str]:
        """The client ids of the load processes that are there now."""
        if not self.distributed:
            return {LOCAL}
        states = (STATE_INIT, STATE_SPAWNING, STATE_RUNNING)
        return {client.id for client in self.runner.clients.all if client.state in states}

    # --- who carries the next cell

    def freeze(self) -> None:
        """Let the crew settle; who is there then carries the next cell. Raises ``NobodyLeft``."""
        self._settle()
        before, self.frozen = self.frozen, self.present() & self.members.keys()
        if self.distributed and (self.frozen != before or self._shaken):
            self._deal_anew()

    def _settle(self) -> None:
        """Wait until everybody who is there takes part and nobody comes or goes, but not for ever."""
        began = changed = time.monotonic()
        before, was_calm = self.present(), bool(self.frozen) and self.frozen == self.present() and not self._shaken
        hold_s = 0.0 if was_calm or not self.frozen else SETTLED_S
        while True:
            self._interrupt()
            self._let_go(self.leaving & self.present())
            self._take_missing_away()
            self._take_in_newcomers()
            now, here = time.monotonic(), self.present()
            if here != before:
                before, changed = here, now
            ready = bool(here) and here <= self.members.keys() and not self._missing()
            if ready and now - changed >= hold_s:
                return
            if here & self.members.keys() and now - began > SETTLE_S:
                return
            if not here and not self._missing() and (not self.replaceable or now - changed > REPLACEMENT_S):
                raise NobodyLeft(self._nobody())
            gevent.sleep(0.01)

    def _nobody(self) -> str:
        if self.members or not self._turned_down:
            return "no worker is left"
        return f"no worker can take part: {self._turned_down}"

    def _deal_anew(self) -> None:
        """Take every user away, so that the next ones are spread over the frozen set and no others."""
        nodes = [self.runner.clients[client] for client in sorted(self.frozen)]
        self.runner._users_dispatcher = LateComersWait(nodes, self.runner.user_classes)
        self.runner.start(0, 1)
        self._wait(lambda: self.runner.user_count == 0, "idle workers")

    def _missing(self) -> set[str]:
        return {client.id for client in self.runner.clients.missing} if self.distributed else set()

    def _take_missing_away(self) -> None:
        """Workers that are out of reach have a moment to come back; then they are taken away before Locust does: it would move
        users about in the middle of a cell when it notices."""
        for client in self._missing():
            since = self._silent.setdefault(client, time.monotonic())
            if client not in self.members or time.monotonic() - since > COME_BACK_S:
                self._give_up(client)
        for client in self._silent.keys() - self._missing():
            del self._silent[client]

    def _give_up(self, client: str) -> None:
        """Go on without a process that is out of reach. A fork of this one is ended: nobody else does, and it could come back."""
        self.runner.clients.pop(client, None)
        member = self.members.get(client)
        if member is None:
            return
        member.silent = True
        log.error("%s does not answer: the run goes on without it", member.words)
        if not self.replaceable:
            end_fork(member.pid)

    def give_up_silent(self) -> None:
        """At the end: who is out of reach does not come back."""
        for client in self._missing():
            self._give_up(client)

    def _take_in_newcomers(self) -> None:
        """Greet whoever is new, and take in who has answered; whoever does not is sent away."""
        for client in sorted(self.present() - self.members.keys()):
            if client not in self._greeted:
                self._greet(client)
            answer = self._taken(Joined, None, client)
            if isinstance(answer, Joined):
                self._welcome(Member.of(client, answer))
            elif isinstance(answer, Unable):
                self._send_away(client, answer.error)
            elif time.monotonic() - self._greeted[client] > READY_S:
                self._send_away(client, f"no answer within {READY_S:.0f} s")

    def _greet(self, client: str) -> None:
        assert self.hello is not None, "nobody is greeted before the run begins"
        self._greeted[client] = time.monotonic()
        self._say(self.hello, client)

    def _welcome(self, member: Member) -> None:
        """A process takes part from here on; its clock is compared where it is another one."""
        if self.distributed and not self._compare_clocks(member):
            return
        self.members[member.client_id] = member
        transport.ADMITTED.add(member.client_id)

    def _compare_clocks(self, member: Member) -> bool:
        """The offset is taken from the exchange with the shortest round trip. False: the process went away over it."""
        for number in range(CLOCK_ROUNDS):
            before = now()
            self._say(ClockQuestion(run_id=self.run_id, number=number), member.client_id)
            found = self._await_one(ClockAnswer, number, member.client_id)
            if found is None:
                return False
            answer, heard_at = found
            trip = heard_at - before
            if member.round_trip_s is None or trip < member.round_trip_s:
                member.round_trip_s, member.offset_s = trip, answer.epoch - (before + trip / 2)
        return True

    def _send_away(self, client: str, why: str) -> None:
        """A process that cannot take part (it belongs to another run, or sees no run folder) must not be given users."""
        if not self.distributed:
            raise CellRefused(why)
        log.error("%s is sent away: %s", client, why)
        self._turned_down = why
        self._dismiss(client)

    def _dismiss(self, client: str) -> None:
        self.frozen.discard(client)
        self.runner.clients.pop(client, None)
        self.runner.server.send_to_client(LocustMessage("quit", None, client))  # type: ignore[no-untyped-call]

    def _let_go(self, clients: set[str]) -> None:
        """Processes that were told to end do so, with everything that they have where it belongs."""
        self.part_with(clients)
        for client in clients:
            self._dismiss(client)

    def part_with(self, clients: set[str]) -> None:
        """Have ``clients`` close and store their files. Waits until each has said so, or is gone."""
        for client in sorted(clients):
            self._say(Bye(run_id=self.run_id), client)
        waiting, deadline = set(clients), time.monotonic() + FAREWELL_S
        while waiting and time.monotonic() < deadline:
            for client in sorted(waiting):
                answer = self._taken(Gone, None, client)
                if isinstance(answer, Gone):
                    self.members[client].drift_s = answer.drift_s
                waiting -= {client} if answer is not None else set()
            waiting &= self.present()
            gevent.sleep(0.01)

    # --- during a cell

    def check(self) -> None:
        """Raise ``CrewChanged`` when a worker of the frozen set is gone."""
        silent = self._missing()
        for stranger in silent - self.frozen:
            self.runner.clients.pop(stranger, None)
        gone = self.frozen - self.present()
        if gone:
            raise CrewChanged("; ".join(sorted(self._how_gone(client, silent) for client in gone)))
        going = self.frozen & self.leaving
        if going:
            raise CrewChanged(", ".join(sorted(self.name_of(client) for client in going)) + " was told to end")
        if self._shaken:
            raise CrewChanged("a worker was out of reach for some seconds")

    def _how_gone(self, client: str, silent: set[str]) -> str:
        name = self.name_of(client)
        return f"{name} does not answer" if client in silent else f"lost {name}"

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

    def _spawned(self) -> bool:
        greenlet = self.runner.spawning_greenlet
        return bool(self.distributed or greenlet is None or greenlet.ready())

    def tell(self, message: Message, client: str | None = None) -> None:
        """Send a message to one worker, or to each of the frozen set."""
        for target in [client] if client is not None else sorted(self.frozen):
            self._say(message, target)

    def _say(self, message: Message, client: str) -> None:
        name, data = encode(message)
        if self.distributed:
            self.runner.send_message(name, data, client)
        else:
            self.runner.send_message(name, data)

    def answers(self, kind: type[Reply], number: int, clients: Iterable[str], timeout_s: float) -> dict[str, Reply]:
        """The answer of each of ``clients``. Raises ``CrewChanged`` when one is lost or silent, ``CellRefused`` if it cannot."""
        wanted = list(clients)
        self._wait(lambda: self._replies.have(kind, number, wanted), f"{kind_of(kind)} from every worker", timeout_s)
        found: dict[str, Reply] = {}
        for client in wanted:
            reply = self._taken(kind, number, client)
            if isinstance(reply, Unable):
                raise CellRefused(f"{self.name_of(client)}: {reply.error}")
            assert reply is not None
            found[client] = reply
        return found

    def answered(self, kind: type[Reply], number: int, client: str) -> Reply | None:
        """A worker's answer if it is there; it is taken away. One that was unable has not answered."""
        reply = self._taken(kind, number, client)
        return None if isinstance(reply, Unable) else reply

    def lost(self) -> list[str]:
        """The workers that took part and are not there any more, in words."""
        return lost_members(self.members, self.present(), self._missing())

    def name_of(self, client: str) -> str:
        """What a load process is called in this run."""
        return self.members[client].name if client in self.members else client

    # --- what is heard

    def _hear(self, kind: str, environment: Any, msg: Any) -> None:
        """Take in a message; what nobody asked for is ignored."""
        client = msg.node_id
        if client not in self._greeted:
            return IGNORED.count("from a process that was not greeted")
        message = decode(kind, msg.data, self.run_id)
        if message is None:
            return None
        if isinstance(message, Pulse):
            if client in self.members:
                self.pulses[client] = message
        elif isinstance(message, Leaving):
            self.leaving.add(client)
        elif self._replies.keep(client, kind, message) and isinstance(message, StepReady | Gone) and client in self.members:
            self.members[client].stored = message.stored
        return None

    def _taken(self, kind: type[Reply], number: int | None, client: str) -> Reply | Unable | None:
        found = self._replies.take(kind, number, client)
        return None if found is None else found[0]

    def _await_one(self, kind: type[Reply], number: int, client: str) -> tuple[Reply, float] | None:
        """One process's reply and when it was heard; None when it does not come in time, or the process is gone."""
        deadline = time.monotonic() + READY_S
        while (found := self._replies.take(kind, number, client)) is None:
            self._interrupt()
            if client not in self.present() or time.monotonic() > deadline:
                return None
            gevent.sleep(0.002)
        return None if isinstance(found[0], Unable) else (found[0], found[1])

    def _wait(self, ready: Callable[[], bool], what: str, timeout_s: float = READY_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise CrewChanged(f"no {what} within {timeout_s:.0f} s")
            gevent.sleep(0.002)

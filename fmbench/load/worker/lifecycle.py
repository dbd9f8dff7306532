"""A load process inside Locust's life: it hears the controller, answers, and ends in good order whoever tells it to.

The same code runs alone, where controller and worker are one process, and on any number of workers.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust.exception import RPCError, RPCSendError
from locust.runners import WorkerRunner

from fmbench.core.failures import ExitCode, FmbenchError, Refused
from fmbench.core.neutral import visible
from fmbench.load import clock
from fmbench.load.deadlines import GOODBYE_S, GRACE_S, LOOK_S, MASTER_LOST_S, PULSE_S
from fmbench.load.leaving import OVER, mark
from fmbench.load.protocol import (
    IGNORED,
    ORDERS,
    PREFIX,
    Bye,
    ClockAnswer,
    ClockQuestion,
    Drain,
    Gone,
    Hello,
    Hurry,
    Joined,
    Leaving,
    Measure,
    Message,
    Open,
    StepOrder,
    StepReady,
    Unable,
    decode,
    encode,
    kind_of,
    number_of,
)
from fmbench.load.worker.gate import Gate
from fmbench.load.worker.joining import settle_in
from fmbench.load.worker.participation import Participation
from fmbench.load.worker.place import place_of
from fmbench.short_turns import take_short_turns
from fmbench.storage.disk import said_of

log = logging.getLogger(__name__)


class Worker:
    """One load process: it waits for a hello, and then takes part in that run and no other."""

    def __init__(self, environment: Any) -> None:
        take_short_turns()
        self.environment = environment
        self.runner = environment.runner
        self.gate = Gate()
        self.participation: Participation | None = None
        self._expected_run = Path(os.environ.get("FMBENCH_RUN", "")).name
        self._said_goodbye = Event()
        self._terminated = False
        self._silent_s = 0.0
        self._handlers: dict[type[Message], Callable[[Participation, Any], None]] = {
            ClockQuestion: self._tell_time,
            StepOrder: self._take_step,
            Open: lambda part, message: part.open(message),
            Measure: lambda part, message: part.measure(message.number),
            Drain: self._drain,
            Hurry: lambda part, message: part.hurry(message),
            Bye: self._leave,
        }
        self._register()

    @property
    def distributed(self) -> bool:
        """Whether the controller is another process."""
        return isinstance(self.runner, WorkerRunner)

    def _register(self) -> None:
        for kind in ORDERS:
            self.runner.register_message(PREFIX + kind, partial(self._hear, kind))
        if self.distributed:
            self.environment.events.heartbeat_received.add_listener(self._hear_master)
            self.environment.events.quitting.add_listener(self._quit)
            gevent.signal_handler(signal.SIGTERM, self._note_signal)
            gevent.spawn(self._watch_master)

    # --- the controller's messages

    def _hear(self, kind: str, environment: Any, msg: Any) -> None:
        """Each message has a greenlet of its own, so that heartbeats go on."""
        message = decode(kind, msg.data)
        if message is None:
            return
        if self._expected_run not in ("", message.run_id):
            self._refuse(message, Refused(f"this worker belongs to the run {self._expected_run}"))
        else:
            gevent.spawn(self._handle, message)

    def _handle(self, message: Message) -> None:
        """Do what was asked; what goes wrong is told to the controller."""
        try:
            if isinstance(message, Hello):
                self._join(message)
            elif self.participation is None:
                IGNORED.count("before the hello")
            else:
                self._handlers[type(message)](self.participation, message)
        except FmbenchError as error:
            self._refuse(message, error)
        except Exception as error:
            if (said := said_of(error)) is not None:
                log.error("%s", said)
                return self._refuse(message, Refused(said))
            self._say(self._unable(message, f"{type(error).__name__}: {error}"))
            raise

    @staticmethod
    def _unable(message: Message, error: str) -> Unable:
        return Unable(run_id=message.run_id, asked=kind_of(type(message)), number=number_of(message), error=error)

    def _refuse(self, message: Message, error: FmbenchError) -> None:
        """Say why not; a process that cannot even join says it where it was started, too."""
        self._say(self._unable(message, str(error)))
        if isinstance(message, Hello) and self.distributed:
            print(f"fmbench-load: {visible(str(error))}", file=sys.stderr, flush=True)
            self.environment.process_exit_code = int(error.exit_code)

    def _join(self, hello: Hello) -> None:
        if self.participation is None:
            folder, outbox = settle_in(hello)
            self._expected_run = hello.run_id
            if self.distributed:  # else the controller has begun it
                clock.begin()
            self.participation = Participation(hello, folder, outbox, self._name(folder), self.gate)
            gevent.spawn(self._pulse_each_second, self.participation)
            if self.distributed and "FMBENCH_RUN" not in os.environ:  # nothing else shows here that the master was found
                print(f"Carrying users for the run {hello.run_id} as {self.participation.name}.", file=sys.stderr, flush=True)
        part = self.participation
        round_trip_s, region = place_of(part.prepared.address())
        self._say(
            Joined(
                run_id=part.run_id,
                worker=part.name,
                host=socket.gethostname(),
                pid=os.getpid(),
                endpoint_round_trip_s=round_trip_s,
                region=region,
            )
        )

    def _name(self, folder: Path) -> str:
        """``local`` for the first part of a run on one process; a name is never used twice in a run."""
        if self.distributed:
            return f"worker-{self.runner.worker_index}-{self.runner.client_id[-8:]}"
        taken = {path.stem for path in (folder / "health").glob("local*.jsonl")}
        return "local" if not taken else f"local-{len(taken) + 1}"

    def _tell_time(self, part: Participation, question: ClockQuestion) -> None:
        self._say(ClockAnswer(run_id=part.run_id, number=question.number, epoch=part.now()))

    def _take_step(self, part: Participation, order: StepOrder) -> None:
        part.take_step(order)
        self._say(StepReady(run_id=part.run_id, number=order.number, stored=part.stored()))

    def _drain(self, part: Participation, message: Drain) -> None:
        self._say(part.drain_begins(message))
        self._say(part.drain(message))

    def _leave(self, part: Participation, message: Bye) -> None:
        """The run is over, for this process at least: bring everything to where it belongs."""
        self.environment.process_exit_code = 0
        self._seal(part)
        with suppress(RPCError, RPCSendError):
            if self.distributed:
                self.runner._send_stats()
        self._say(Gone(run_id=part.run_id, drift_s=part.drift_s(), stored=part.stored()))
        self._said_goodbye.set()

    def _seal(self, part: Participation) -> None:
        """Close and store the files. What the disk does not take is said, and the run is not whole."""
        if "FMBENCH_RUN" not in os.environ:  # a process of its own: of forks only the master's end is the load's
            mark(OVER)
        try:
            whole = part.seal()
        except OSError as error:
            log.error("not closed in good order: %s", error)
            whole = False
        if not whole:
            self.environment.process_exit_code = ExitCode.UNACCOUNTED

    def _pulse_each_second(self, part: Participation) -> None:
        while not part.sealed:
            gevent.sleep(PULSE_S if self.distributed else LOOK_S)
            part.heed_space()
            self.tell_pulse()

    def tell_pulse(self) -> None:
        """Tell the controller how far the step is."""
        pulse = None if self.participation is None else self.participation.pulse()
        if pulse is not None:
            self._say(pulse)

    def _say(self, message: Message) -> None:
        """Tell the controller; a master that cannot be reached is found out by its silence."""
        with suppress(RPCError, RPCSendError):
            self.runner.send_message(*encode(message))

    # --- ends

    def end_alone(self, part: Participation, within_s: float = GRACE_S) -> None:
        """End without the controller: nothing more is sent, what is in flight may end, and the files are closed."""
        self._say(Leaving(run_id=part.run_id))
        part.close()
        part.wait_for_requests(within_s)
        self._seal(part)
        self._said_goodbye.set()

    def _note_signal(self) -> None:
        """Locust's own handler of SIGTERM comes to ``_quit``; this is how it knows why."""
        self._terminated = True

    def _quit(self, **_: Any) -> None:
        """This process ends. If it is too early the master hears of it, takes its counts and lets it go, or it goes alone."""
        part = self.participation
        if part is not None and not self._said_goodbye.is_set():
            self._say(Leaving(run_id=part.run_id))
            part.close()
            if not self._said_goodbye.wait(GRACE_S + GOODBYE_S):
                self.end_alone(part, 0)
        if self._terminated:
            self.environment.process_exit_code = ExitCode.TERMINATED

    def _hear_master(self, **_: Any) -> None:
        self._silent_s = 0.0

    def _watch_master(self) -> None:
        """Count seconds of this process's own, so that one that was stopped for a while does not blame the master."""
        while self._silent_s < MASTER_LOST_S:
            gevent.sleep(1)
            self._silent_s += 1
        log.error("no word from the master for %.0f s: this worker ends", MASTER_LOST_S)
        if "FMBENCH_RUN" not in os.environ:
            mark(OVER)
        if self.participation is not None:
            self.end_alone(self.participation)
        self.environment.process_exit_code = ExitCode.UNACCOUNTED
        self.runner.quit()

"""A load process: it carries its share of the users, writes their journal, and does what the controller's messages say.

The same code runs alone, where controller and worker are one process, and on any number of workers.

Messages in:  ``fmbench_hello``, ``_clock``, ``_step``, ``_open``, ``_measure``, ``_drain``, ``_bye``
Messages out: ``fmbench_ack`` {kind, worker, …}, ``fmbench_pulse`` once a second, ``fmbench_leaving`` when told to end.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import orjson
from gevent.event import Event
from locust.exception import RPCError, RPCSendError
from locust.runners import WorkerRunner

from fmbench.core.failures import ExitCode, FmbenchError, Refused
from fmbench.core.records import Record
from fmbench.load.budget import Lease
from fmbench.load.gate import Gate
from fmbench.load.health import HealthLog
from fmbench.load.place import place_of
from fmbench.load.remote import Outbox, settle_in
from fmbench.load.step import Step, StepOrder
from fmbench.load.tally import Tally
from fmbench.load.workplace import Workplace, clear_away
from fmbench.storage.journal import JournalWriter

log = logging.getLogger(__name__)

PULSE_S = 1.0
MASTER_LOST_TICKS = 7
"""Seconds without a word from the master after which a worker ends by itself: it stops sending within ten."""
GRACE_S = 25.0
"""How long requests in flight may go on after a signal, or after the master was lost."""
GOODBYE_S = 5.0
"""How much longer a process that was told to end waits for the master to let it go."""
STORE_BETWEEN_CELLS_S = 20.0
"""How long the next cell waits for the store to take the journal of the last one."""
STORE_AT_THE_END_S = 75.0
"""How long a process that ends goes on trying to store what it has; with ``GRACE_S``, within what ECS and Kubernetes give."""


class AnswersWriter:
    """Appends to ``answers/<worker>.jsonl``, a line an answer; only made when the configuration asks for quality."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, record: Record, text: str) -> None:
        """Keep the answer's text under its request's identity."""
        row = {"worker": record.worker, "user": record.user, "seq": record.seq, "prompt_id": record.prompt_id, "text": text}
        os.write(self._file, orjson.dumps(row) + b"\n")

    def close(self) -> None:
        os.fsync(self._file)
        os.close(self._file)


class Worker:
    """One load process of a run."""

    workplace: Workplace
    journal: JournalWriter
    health: HealthLog
    answers: AnswersWriter | None = None
    outbox: Outbox | None = None
    """The way to the store, where this process does not see the run folder."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.runner = environment.runner
        self.gate = Gate()
        self.name = ""
        self.run_id = ""
        self._expected_run = Path(os.environ.get("FMBENCH_RUN", "")).name
        self.step: Step | None = None
        self.epoch_offset_ns = time.time_ns() - time.monotonic_ns()
        self._seqs: Counter[int] = Counter()
        self._fault: str | None = None
        self._sealed = False
        self._part = 0
        self._said_goodbye = Event()
        self._terminated = False
        self._silent_s = 0
        self._register()

    @property
    def distributed(self) -> bool:
        """Whether the controller is another process."""
        return isinstance(self.runner, WorkerRunner)

    def next_seq(self, user: int) -> int:
        """How many requests this user of this process has sent before."""
        seq = self._seqs[user]
        self._seqs[user] = seq + 1
        return seq

    def _register(self) -> None:
        handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "hello": self._hello,
            "clock": self._clock,
            "step": self._take_step,
            "open": self._open,
            "measure": self._measure,
            "drain": self._drain,
            "bye": self._bye,
        }
        for kind, handler in handlers.items():
            self.runner.register_message(f"fmbench_{kind}", self._guarded(kind, handler))
        if self.distributed:
            self.environment.events.heartbeat_received.add_listener(self._hear_master)
            self.environment.events.quitting.add_listener(self._quit)
            gevent.signal_handler(signal.SIGTERM, self._note_signal)
            gevent.spawn(self._watch_master)

    def _guarded(self, kind: str, handler: Callable[[dict[str, Any]], None]) -> Callable[..., None]:
        """Run a handler in a greenlet of its own, so that heartbeats go on; what goes wrong is told to the controller."""

        def handle(data: dict[str, Any]) -> None:
            try:
                handler(data)
            except FmbenchError as error:
                self._refuse(kind, data, error)
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                self._ack(kind, run_id=data["run_id"], number=data.get("number"), error=text)
                raise

        def listen(environment: Any, msg: Any) -> None:
            if self._expected_run not in ("", msg.data["run_id"]):
                self._refuse(kind, msg.data, Refused(f"this worker belongs to the run {self._expected_run}"))
            else:
                gevent.spawn(handle, msg.data)

        return listen

    def _refuse(self, kind: str, data: dict[str, Any], error: FmbenchError) -> None:
        """Say why not; a process that cannot even join says it where it was started, too."""
        self._ack(kind, run_id=data["run_id"], number=data.get("number"), error=str(error))
        if kind == "hello" and self.distributed:
            print(f"fmbench-load: {error}", file=sys.stderr, flush=True)
            self.environment.process_exit_code = int(error.exit_code)

    def _hello(self, data: dict[str, Any]) -> None:
        """The first message: which run, where it is, and what this process is called in it."""
        if not self.run_id:
            folder, self.outbox = settle_in(data, data["run_id"])
            self.workplace = Workplace(folder, data["endpoint"])
            self.run_id = self._expected_run = data["run_id"]
            self.name = self._choose_name()
            self.health = HealthLog(folder / "health" / f"{self.name}.jsonl", self.name, self._counts)
            self._open_part()
            gevent.spawn(self._pulse_each_second)
            if self.distributed and "FMBENCH_RUN" not in os.environ:  # nothing else shows here that the master was found
                print(f"Carrying users for the run {self.run_id} as {self.name}.", file=sys.stderr, flush=True)
        self._ack("hello", host=socket.gethostname(), pid=os.getpid(), **place_of(self.workplace.address()))

    def _choose_name(self) -> str:
        """``local`` for the first part of a run on one process; a name is never used twice in a run."""
        if self.distributed:
            return f"worker-{self.runner.worker_index}-{self.runner.client_id[-8:]}"
        taken = {path.stem for path in (self.workplace.folder / "health").glob("local*.jsonl")}
        return "local" if not taken else f"local-{len(taken) + 1}"

    @property
    def _stem(self) -> str:
        """The name of the journal, or of its part when it is stored in parts."""
        return self.name if self.outbox is None else f"{self.name}-{self._part:04d}"

    def _open_part(self) -> None:
        folder = self.workplace.folder
        self.journal = JournalWriter(folder / "journal" / f"{self._stem}.jsonl")
        if self.workplace.config.quality:
            self.answers = AnswersWriter(folder / "answers" / f"{self._stem}.jsonl")

    def _close_part(self) -> None:
        self.journal.close()
        if self.answers is not None:
            self.answers.close()
        if self.outbox is not None:
            for name in (f"journal/{self._stem}.jsonl", f"answers/{self._stem}.jsonl", f"health/{self.name}.jsonl"):
                self.outbox.send(name)

    def _store_cell(self, step: Step) -> None:
        """The cell is over: what it left goes to the store. A request that is still in flight keeps the part open for its end."""
        if self.outbox is not None and not self._sealed and not step.tally.in_flight:
            self._close_part()
            self._part += 1
            self._open_part()

    def _clock(self, data: dict[str, Any]) -> None:
        self._ack("clock", number=data["number"], epoch=self._now())

    def _now(self) -> float:
        """UTC epoch seconds on the clock that the records use."""
        return (time.monotonic_ns() + self.epoch_offset_ns) / 1e9

    def _take_step(self, data: dict[str, Any]) -> None:
        """Make everything ready for the next step, behind the closed gate, once nothing is on its way to the store."""
        order = StepOrder.from_message(data)
        if self.outbox is not None:
            self.outbox.wait(STORE_BETWEEN_CELLS_S)
        self.workplace.deck(order.cell)
        clear_away()
        lease = Lease(requests=order.requests, usd=order.usd, dearness=self.step.lease.dearness if self.step else 1.0)
        self.step = Step(order=order, lease=lease, slots=deque(order.slots))
        self._ack("step", number=order.number, parts=self._parts())

    def _open(self, data: dict[str, Any]) -> None:
        """Let the users in."""
        if self.step is not None and self.step.order.number == data["number"]:
            self.step.opened_ns = time.monotonic_ns()
            if data["measured"]:
                self.step.measure()
            self.gate.open(self.step)

    def _measure(self, data: dict[str, Any]) -> None:
        if self.step is not None and self.step.order.number == data["number"]:
            self.step.measure()

    def _drain(self, data: dict[str, Any]) -> None:
        """Close the gate, let every request in flight end, and say what became of all of them."""
        step = self.step
        if step is None or step.order.number != data["number"]:
            return self._ack("drain", number=data["number"], **self._counted(None))
        self._close()
        self._ack("closed", number=data["number"])
        step.empty.wait(data["timeout_s"])
        self._store_cell(step)
        self._ack("drain", number=data["number"], **self._counted(step))
        return None

    def _counted(self, step: Step | None) -> dict[str, Any]:
        if step is None:
            return {"tally": Tally().to_message(), "lease": Lease(requests=None, usd=None).to_message()}
        return {"tally": step.tally.to_message(), "lease": step.lease.to_message()}

    def _bye(self, data: dict[str, Any]) -> None:
        """The run is over, for this process at least: bring everything to where it belongs."""
        self.environment.process_exit_code = 0
        self.seal()
        with suppress(RPCError, RPCSendError):
            if self.distributed:
                self.runner._send_stats()
        self._ack("bye", drift_s=self._drift_s(), parts=self._parts())
        self._said_goodbye.set()

    def _parts(self) -> dict[str, dict[str, Any]]:
        return {} if self.outbox is None else self.outbox.stored

    def seal(self) -> None:
        """Close the files, and store them where they are not in the run folder. Once; nothing is sent after it."""
        if self.run_id and not self._sealed:
            self._sealed = True
            self._close()
            self.health.close()
            self._close_part()
        if self.outbox is not None and not self.outbox.wait(STORE_AT_THE_END_S):
            self.environment.process_exit_code = ExitCode.UNACCOUNTED
            log.error("not stored: %s", ", ".join(self.outbox.unsent()))

    def fail(self, error: Exception) -> None:
        """This process cannot go on (its disk is full, say): no more requests; the next pulse tells why."""
        self._fault = f"{type(error).__name__}: {error}"
        self._close()

    def _close(self) -> None:
        """Nobody starts another request; users leave after the one that they are in."""
        self.gate.close()
        if self.step is not None:
            self.step.close()

    def end_alone(self, within_s: float = GRACE_S) -> None:
        """End without the controller: nothing more is sent, what is in flight may end, and the files are closed."""
        self._send("fmbench_leaving", {"run_id": self.run_id})
        self._close()
        if self.step is not None:
            self.step.empty.wait(within_s)
        self.seal()
        self._said_goodbye.set()

    def _note_signal(self) -> None:
        """Locust's own handler of SIGTERM comes to ``_quit``; this is how it knows why."""
        self._terminated = True

    def _quit(self, **_: Any) -> None:
        """This process ends. If it is too early the master hears of it, takes its counts and lets it go, or it goes alone."""
        if self.run_id and not self._said_goodbye.is_set():
            self._send("fmbench_leaving", {"run_id": self.run_id})
            self._close()
            if not self._said_goodbye.wait(GRACE_S + GOODBYE_S):
                self.end_alone(0)
        if self._terminated:
            self.environment.process_exit_code = ExitCode.TERMINATED

    def _hear_master(self, **_: Any) -> None:
        self._silent_s = 0

    def _watch_master(self) -> None:
        """Count seconds of this process's own, so that one that was stopped for a while does not blame the master."""
        while self._silent_s < MASTER_LOST_TICKS:
            gevent.sleep(1)
            self._silent_s += 1
        log.error("no word from the master for %d s: this worker ends", MASTER_LOST_TICKS)
        self.end_alone()
        self.environment.process_exit_code = ExitCode.UNACCOUNTED
        self.runner.quit()

    def _drift_s(self) -> float:
        """How far the wall clock has moved away from this process's stamps since it began."""
        return (time.time_ns() - time.monotonic_ns() - self.epoch_offset_ns) / 1e9

    def _counts(self) -> tuple[int, int, int]:
        tally = Tally() if self.step is None else self.step.tally
        return tally.in_flight, tally.sent, tally.done

    def _pulse_each_second(self) -> None:
        while not self._sealed:
            gevent.sleep(PULSE_S)
            self._pulse()

    def _pulse(self) -> None:
        step = self.step
        if step is None:
            return
        data = {"worker": self.name, "number": step.order.number, "exhausted": step.lease.exhausted, "fault": self._fault}
        self._send("fmbench_pulse", data | {"tally": step.tally.to_message(), "users": step.users})

    def _ack(self, kind: str, **data: Any) -> None:
        self._send("fmbench_ack", {"kind": kind, "worker": self.name, "run_id": self.run_id, **data})

    def _send(self, kind: str, data: dict[str, Any]) -> None:
        """Tell the controller; a master that cannot be reached is found out by its silence."""
        with suppress(RPCError, RPCSendError):
            self.runner.send_message(kind, data)

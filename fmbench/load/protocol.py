"""Every message between the controller and the load processes: a type each, one encoder, one decoder.

Both sides send ``encode(message)`` and read with ``decode``; what is malformed is ignored and counted (``Ignored``), whoever sent
it. A reply names the ``number`` of the step (or question) that it answers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fmbench.core.quota.burst import Burst, Seen
from fmbench.core.records import Cell
from fmbench.load.slices import Counting
from fmbench.load.tally import Tally
from fmbench.load.wire import Malformed, from_plain, to_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said in one run."""

    run_id: str


# --- what parts of messages are made of


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The endpoint that requests go to."""

    url: str | None
    ca_bundle: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStore:
    """Where processes that do not see the run folder find what was prepared, and bring what they write."""

    address: str
    region: str | None
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as the store has it; ``at``: UTC epoch seconds of when it was stored."""

    bytes: int
    lines: int
    sha256: str
    at: float


# --- from the controller


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Message):
    """The first message: which run, and where it is. Answered by ``Joined``."""

    folder: str
    host: str
    """The master's host, on which ``folder`` is."""
    endpoint: Address | None
    store: SharedStore | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockQuestion(Message):
    """What time is it? Answered by ``ClockAnswer``."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOrder(Message):
    """Get ready for a step: one attempt at one cell. Answered by ``StepReady``."""

    number: int
    cell: Cell
    slots: list[int]
    """The user slots of the cell that this worker carries."""
    spread_s: float
    requests: int | None
    usd: float | None
    """The most that this worker may send and spend in the step; None: no limit."""
    counting: Counting | None = None
    """What is counted by slices of time; None: nothing."""
    burst: Burst | None = None
    """What a search for a quota sends in it, over all workers; None: prompts of the cell's bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Message):
    """Let the users in."""

    number: int
    measured: bool
    """Whether the window begins at once, without a warm-up."""
    opens_at: float | None = None
    """When an open loop's plan begins, UTC epoch seconds by the worker's own clock; None: now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Message):
    """The warm-up is over."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain(Message):
    """No more requests. Answered by ``Closed`` at once, and by ``Drained`` when every request in flight is over."""

    number: int
    timeout_s: float
    attempts_go_on: bool = False
    """Whether requests that have begun may be tried again; else each ends with the attempt that it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hurry(Message):
    """No request of a step that is drained may be tried again any more. Not answered."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye(Message):
    """The run is over, for this process at least. Answered by ``Gone``."""


# --- from a load process


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Message):
    """This process takes part. None is what is not known."""

    worker: str
    host: str
    pid: int
    endpoint_round_trip_s: float | None
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAnswer(Message):
    """UTC epoch seconds on the clock of this process's records."""

    number: int
    epoch: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReady(Message):
    """Ready, behind the closed gate. ``stored``: all that this process has stored by itself so far, by name."""

    number: int
    stored: dict[str, StoredFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Message):
    """No request begins any more."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained(Message):
    """What became of all requests of the step. ``usd`` is what the budget counts: true costs, bounds of what may be billed."""

    number: int
    tally: Tally
    usd: float
    seen: list[Seen] = field(default_factory=list)
    """Every request of a burst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone(Message):
    """Everything is where it belongs. ``drift_s``: how far the wall clock moved away from this process's stamps."""

    drift_s: float
    stored: dict[str, StoredFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unable(Message):
    """Why what was asked cannot be done. ``asked`` is the kind of the message; ``number`` is its own, if it has one."""

    asked: str
    number: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse(Message):
    """Once a second: how far the step is."""

    worker: str
    number: int
    exhausted: bool
    """Whether the budget gave no more."""
    fault: str | None
    """Why this process cannot go on."""
    users: int
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving(Message):
    """This process was told to end."""


ORDERS: dict[str, type[Message]] = {
    "hello": Hello,
    "clock": ClockQuestion,
    "step": StepOrder,
    "open": Open,
    "measure": Measure,
    "drain": Drain,
    "hurry": Hurry,
    "bye": Bye,
}
"""What the controller says, by the kind of the message."""

REPLIES: dict[str, type[Message]] = {
    "joined": Joined,
    "clock_answer": ClockAnswer,
    "step_ready": StepReady,
    "closed": Closed,
    "drained": Drained,
    "gone": Gone,
    "unable": Unable,
    "pulse": Pulse,
    "leaving": Leaving,
}
"""What load processes say."""

ANSWERS: dict[type[Message], type[Message]] = {
    Hello: Joined,
    ClockQuestion: ClockAnswer,
    StepOrder: StepReady,
    Drain: Drained,
    Bye: Gone,
}
"""What a message of the controller is answered with, where it is done."""

PREFIX = "fmbench_"
"""Before the kind, in the name of Locust's message."""
_KINDS = {cls: kind for kind, cls in (ORDERS | REPLIES).items()}


@dataclass(slots=True)
class Ignored:
    """What was ignored since the process began: messages by why."""

    by_reason: Counter[str] = field(default_factory=Counter)

    def count(self, reason: str) -> None:
        """One more."""
        self.by_reason[reason] += 1

    @property
    def total(self) -> int:
        return self.by_reason.total()


IGNORED = Ignored()
"""This process's."""


def kind_of(message: type[Message]) -> str:
    """The kind under which messages of this type travel."""
    return _KINDS[message]


def number_of(message: Message) -> int | None:
    """The number of the step or question that ``message`` is about; None: it is about none."""
    return getattr(message, "number", None)


def encode(message: Message) -> tuple[str, dict[str, Any]]:
    """The name and the data of the Locust message that carries ``message``."""
    return PREFIX + kind_of(type(message)), to_plain(message)


def decode(kind: str, data: Any, run_id: str | None = None) -> Message | None:
    """The message of ``kind`` that ``data`` is; None, counted, when it is none, or one of another run than ``run_id``."""
    try:
        message: Message = from_plain((ORDERS | REPLIES)[kind], data)
    except Malformed:
        IGNORED.count(f"malformed {kind}")
        return None
    if run_id is not None and message.run_id != run_id:
        IGNORED.count("another run's message")
        return None
    return message

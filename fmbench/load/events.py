"""What a load process tells the program that started it while it works: a line of JSON an event, over a pipe.

``FMBENCH_EVENTS`` is the pipe's descriptor. Nobody who reads is needed: what cannot be written is dropped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from threading import Thread
from typing import TypeVar

VARIABLE = "FMBENCH_EVENTS"
STAYS = "FMBENCH_WEB_STAYS"
"""Set: the web UI's page stays after the run until it is closed."""
LAST_WORDS_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Of the measured window so far, seconds; None: nothing was seen. ``n`` answers are behind them."""

    n: int
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellNow:
    """A cell as it stands. Counts, latencies and rates are of the measured window alone, dollars of everything that was sent."""

    place: int
    cells: int
    model: str
    bucket: str
    users: int
    rate_per_min: float | None
    """Requests a minute of an open loop, whose ``users`` is the most in flight; None: users."""
    workers: int
    state: str
    """``warming up``, ``measuring``, ``draining``; when it is over: its status."""
    reason: str
    until: float | None
    """When measuring is to end, UTC epoch; None: when something is decided or drained."""
    sent: int
    """In this cell, whatever the phase, each attempt."""
    measured: int
    """Requests that are over."""
    ok: int
    failed: int
    """Requests whose last attempt failed."""
    attempts: int | None
    """At requests, where they are tried again; None: each has one."""
    attempts_failed: int | None
    throttled: int
    """Attempts, as in ``failures``."""
    dropped: int
    """Requests of an open loop that could not be started."""
    failures: Mapping[str, int]
    said: Mapping[str, str]
    """What the service, or the socket, said with the last failure of the most frequent kinds."""
    ttft: Percentiles
    tpot: Percentiles
    e2e: Percentiles
    ttft_planned: Percentiles | None
    """From the moment that an open loop's plan wanted; None in a closed one."""
    e2e_planned: Percentiles | None
    answers_per_min: float | None
    output_tokens_per_s: float | None
    admitted_tpm: float | None
    """Tokens a minute that a quota takes at admission."""
    usd: float | None
    """Of this cell so far; None: its model's price is not known."""
    usd_run: float
    budget_usd: float | None
    left_s: float
    """Until the run's end, at what cells took so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDone(CellNow):
    """A cell that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A master waits for workers."""

    present: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStays:
    """The load is over and every file of it closed; the web UI's page stays until it is closed."""


Event = CellNow | CellDone | Waiting
Told = Event | PageStays
"""Events, and what only the program that started the load process needs."""
_NAMES: dict[str, type[CellNow] | type[Waiting] | type[PageStays]] = {
    "progress": CellNow,
    "cell": CellDone,
    "waiting": Waiting,
    "page": PageStays,
}
Made = TypeVar("Made")


def name_of(event: Told) -> str:
    """What the event is called on the wire and in ``--json``."""
    return next(name for name, kind in _NAMES.items() if type(event) is kind)


def to_line(event: Told) -> bytes:
    """One line of JSON."""
    return json.dumps({"event": name_of(event), **asdict(event)}).encode() + b"\n"


def from_line(line: bytes) -> Told | None:
    """The event of a line; None for what is none."""
    try:
        row = json.loads(line)
        kind = _NAMES[row.pop("event")]
        for key in ("ttft", "tpot", "e2e", "ttft_planned", "e2e_planned"):
            if row.get(key) is not None:
                row[key] = Percentiles(**row[key])
        return kind(**row)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class EventPipe:
    """The writing end. It never blocks the load: what the pipe does not take at once is dropped."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    @classmethod
    def given(cls) -> EventPipe | None:
        """The pipe that this process was given; None: it was started without one."""
        given = os.environ.get(VARIABLE, "")
        return cls(int(given)) if given.isdigit() else None

    def send(self, event: Told) -> None:
        """Write the event, whole or not at all: a line is shorter than what a pipe takes in one piece."""
        with suppress(OSError):
            os.write(self._descriptor, to_line(event))


class Counted:
    """Hands events on to ``take`` and keeps how many requests they say were sent, cells that are over and the one under way."""

    def __init__(self, take: Callable[[Event], None]) -> None:
        self._take = take
        self._over = self._now = 0

    @property
    def sent(self) -> int:
        """As far as was told: more may have been."""
        return self._over + self._now

    def take(self, event: Event) -> None:
        """Count, then hand on."""
        if isinstance(event, CellDone):
            self._over, self._now = self._over + event.sent, 0
        elif isinstance(event, CellNow):
            self._now = event.sent
        self._take(event)


@contextmanager
def hearing(take: Callable[[Told], None]) -> Iterator[int]:
    """The descriptor to hand to a load process as ``FMBENCH_EVENTS``; what it tells goes to ``take``, in a thread of its own."""
    reading, writing = os.pipe()
    thread = Thread(target=_hear, args=(reading, take), daemon=True)
    thread.start()
    try:
        yield writing
    finally:
        os.close(writing)
        thread.join(LAST_WORDS_S)  # a load process that outlives its master holds the pipe open


def _hear(descriptor: int, take: Callable[[Told], None]) -> None:
    with open(descriptor, "rb") as lines:
        for line in lines:
            event = from_line(line)
            if event is not None:
                take(event)

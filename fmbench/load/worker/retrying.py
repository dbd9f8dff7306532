"""Further attempts at a request that failed: who decides, and the waits, which end when the step lets nobody try again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import gevent

from fmbench.core.records import Cell, Exchange
from fmbench.core.retries import Backoff
from fmbench.load.worker.prepared import PreparedRun
from fmbench.load.worker.step import Step

HELD_S = 0.001
"""An attempt that goes on sooner was not held back."""


class Trying(Protocol):
    """The attempts of one request."""

    holds: bool
    """Whether attempts may be held back on purpose."""

    def hold(self) -> None:
        """Wait as long as an attempt is to be held back."""

    def delay_s(self, exchange: Exchange, attempt: int) -> float | None:
        """How long to wait after ``attempt`` (from 1) before the next one; None: that was the last one."""


class OwnTrying:
    """By a rule of our own."""

    holds = False

    def __init__(self, backoff: Backoff, dice: random.Random) -> None:
        self._backoff, self._dice = backoff, dice

    def hold(self) -> None:
        """Never."""

    def delay_s(self, exchange: Exchange, attempt: int) -> float | None:
        """By the rule."""
        return self._backoff.delay_s(exchange.failure, attempt, self._dice)


def tryings_of(prepared: PreparedRun, cell: Cell, slot: int) -> Callable[[], Trying | None]:
    """What decides about the requests of a user of a cell, one after the other; None where none is tried again."""
    retry = prepared.config.load.retry
    if retry is None:
        return lambda: None
    if retry.backoff is None:
        return prepared.sdk_retries_of(cell.model).request
    own = OwnTrying(retry.backoff, random.Random(f"{prepared.config.seed}/retry/{cell.number}/{slot}"))
    return lambda: own


@dataclass(frozen=True, slots=True)
class Turn:
    """When an attempt is due, and how long it was held back on purpose before that; None: not at all."""

    due_ns: int
    backoff_s: float | None = None


def next_turn(trying: Trying, step: Step, exchange: Exchange, attempt: int) -> Turn | None:
    """Wait for the attempt after ``attempt``. None: there is none, or the step lets nobody try again."""
    delay_s = trying.delay_s(exchange, attempt)
    if delay_s is None:
        return None
    due_ns = exchange.ended_ns + round(delay_s * 1e9)
    if step.no_more_attempts.wait(max(0.0, (due_ns - time.monotonic_ns()) / 1e9)):
        return None
    return held(trying, step, Turn(due_ns, delay_s))


def held(trying: Trying, step: Step, turn: Turn) -> Turn | None:
    """Hold an attempt back as long as it has to be. None: the step lets nobody try again."""
    if not trying.holds:
        return turn
    began_ns = time.monotonic_ns()
    holding = gevent.spawn(trying.hold)
    either: list[Any] = [holding, step.no_more_attempts]
    gevent.wait(either, count=1)
    if step.no_more_attempts.is_set():
        holding.kill()
        return None
    held_ns = time.monotonic_ns() - began_ns
    if held_ns < HELD_S * 1e9:
        return turn
    return Turn(turn.due_ns + held_ns, (turn.backoff_s or 0.0) + held_ns / 1e9)

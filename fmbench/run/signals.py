"""SIGTERM as an exception, so that what a run has begun is put in order before the process ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from types import FrameType
from typing import NoReturn

from fmbench.core.failures import ExitCode
from fmbench.load.heeded import heeded


class Terminated(BaseException):
    """SIGTERM arrived."""


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


AGAIN_S = 0.01
"""How long a signal waits that came where an exception is not passed on."""


@contextmanager
def terminating() -> Iterator[None]:
    """Within it SIGTERM raises ``Terminated``, as SIGINT raises ``KeyboardInterrupt``.

    Where Python passes no exception on, in a finalizer say, the signal comes again at once.
    """
    before, hook = signal.signal(signal.SIGTERM, _raise), sys.unraisablehook

    def again(lost: sys.UnraisableHookArgs) -> None:
        if isinstance(lost.exc_value, (KeyboardInterrupt, Terminated)):
            number = signal.SIGTERM if isinstance(lost.exc_value, Terminated) else signal.SIGINT
            Timer(AGAIN_S, os.kill, (os.getpid(), number)).start()
        else:
            hook(lost)

    sys.unraisablehook = again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGTERM, before)


@contextmanager
def put_off(again: bool = True) -> Iterator[None]:
    """Within it SIGINT and SIGTERM wait: what it holds is done whole. ``again``: the first of them is raised at its end."""
    heard: list[int] = []
    before = {number: signal.signal(number, lambda which, frame: heard.append(which)) for number in heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if heard and again:
        signal.raise_signal(heard[0])


def word_of(end: BaseException) -> str:
    """``Terminated`` or ``Interrupted``, as a sentence begins with it."""
    return "Terminated" if isinstance(end, Terminated) else "Interrupted"


def code_for(end: BaseException) -> ExitCode:
    """The exit status of a program that a signal ended."""
    return ExitCode.TERMINATED if isinstance(end, Terminated) else ExitCode.INTERRUPTED

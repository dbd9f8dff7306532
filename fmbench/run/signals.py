"""SIGTERM as an exception, so that what a run has begun is put in order before the process ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from fmbench.core.failures import ExitCode


class Terminated(BaseException):
    """SIGTERM arrived."""


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


@contextmanager
def terminating() -> Iterator[None]:
    """Within it SIGTERM raises ``Terminated``, as SIGINT raises ``KeyboardInterrupt``."""
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def put_off(again: bool = True) -> Iterator[None]:
    """Within it SIGINT and SIGTERM wait: what it holds is done whole. ``again``: the first of them is raised at its end."""
    heard: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda which, frame: heard.append(which)) for number in numbers}
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

"""What a run tells its user: messages and a progress bar on stderr, plain lines where stderr is no terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any, TextIO

from fmbench.core.neutral import visible
from fmbench.run.fit import wrapped

SECONDS_BETWEEN_LINES = 5.0
LONGEST_ECHO = 500

Progress = Callable[[str, int, int | None], None]
"""``progress(what, done, total)``: so much is done; total None: nobody knows of how much."""


class Voice(Enum):
    """How much a run says, and to whom."""

    USUAL = "usual"
    """Lines on stderr, and the run's address as the last line on stdout."""
    QUIET = "quiet"
    """The run's address alone."""
    EVENTS = "events"
    """A line of JSON an event on stdout, for programs; nothing on stderr."""


_voice = Voice.USUAL


def speak(wanted: Voice) -> None:
    """Set how much is said from now on."""
    global _voice
    _voice = wanted


def voice() -> Voice:
    """How much is said."""
    return _voice


def is_quiet() -> bool:
    """Whether nothing is to be shown to people."""
    return _voice is not Voice.USUAL


def say(message: str) -> None:
    """A line for the user."""
    if _voice is Voice.USUAL:
        _print(_fitting(message), sys.stderr)
    else:
        tell("message", text=message)


def _fitting(message: str) -> str:
    """The message, broken between words where stderr is a terminal that says how wide it is."""
    try:
        return wrapped(message, os.get_terminal_size(sys.stderr.fileno()).columns)
    except (OSError, ValueError):
        return message


def tell(event: str, **facts: Any) -> None:
    """An event for programs, where they asked for it."""
    if _voice is Voice.EVENTS:
        _print(json.dumps({"event": event, "at": time.time(), **facts}), sys.stdout)


def end_of_run(address: str, status: int, summary: dict[str, Any] | None) -> None:
    """The last line on stdout: the run's address, or the event that has it."""
    if _voice is not Voice.EVENTS:
        give(address)
        return
    known = summary or {}
    validity = (known.get("validity") or {}).get("verdict")
    tell("ended", run=address, status=int(status), validity=validity, recommendation=known.get("recommendation"))


def give(text: str) -> None:
    """A line of what was asked for, on stdout: a run's address, a comparison. Where nobody takes it, that is said on stderr."""
    if not _print(text, sys.stdout):
        say(f"stdout cannot be written; it would have had: {text[:LONGEST_ECHO]}")


def _print(text: str, stream: TextIO) -> bool:
    """Whether the text could be written. A stream that takes no more is put away, so that the program's end keeps its status."""
    try:
        print(visible(text), file=stream, flush=True)
        return True
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar that moves on a terminal; elsewhere a line at each new thing and every few seconds."""
    if is_quiet():
        yield lambda what, done, total: None
    elif sys.stderr.isatty():
        with _rich_bar() as progress:
            yield progress
    else:
        yield _lines()


@contextmanager
def _rich_bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:

        def progress(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield progress


def _lines() -> Progress:
    said: dict[str, float] = {}

    def progress(what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if what not in said or now - said[what] > SECONDS_BETWEEN_LINES or done == total:
            said[what] = now
            say(f"{what}: {done}" + (f" of {total}" if total else ""))

    return progress

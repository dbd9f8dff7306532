"""What a run tells its user: messages and a progress bar on stderr, plain lines where stderr is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS_BETWEEN_LINES = 5.0

Progress = Callable[[str, int, int | None], None]
"""``progress(what, done, total)``: so much is done; total None: nobody knows of how much."""


def say(message: str) -> None:
    """A line for the user."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar that moves on a terminal; elsewhere a line at each new thing and every few seconds."""
    if sys.stderr.isatty():
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

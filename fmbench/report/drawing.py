"""What a report takes longest for is done by processes of their own while the figures are made: its pictures, as matplotlib takes
longer than a million records do, and before them the token gaps.

python -m fmbench.report.drawing      # jobs on stdin, what came of each on stdout; both pickled, by the process that started it
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from fmbench.report.picture import Picture, Values

LOG = logging.getLogger(__name__)
MOST = 2

Drawn = bytes | str
"""A picture's PNG, or what went wrong with it."""
Gaps = dict[str, Values]
"""Seconds between content events, by model."""


@dataclass(frozen=True, slots=True)
class GapsAsked:
    """Whose token gaps are asked for: the folder of the records, and the lines of cells.jsonl."""

    records: Path
    attempts: list[dict[str, Any]]


class Drawing:
    """Draws pictures and reads token gaps, in processes that start at once and are ready when they are asked; a context manager.

    Where there is one core, or matplotlib is here already, both are done in this process. The bytes are the same.
    """

    def __init__(self) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        apart = cores > 1 and "matplotlib" not in sys.modules
        self._helpers: list[subprocess.Popen[bytes]] = []
        self._threads = ThreadPoolExecutor(MOST)
        self._over = False
        with suppress(OSError):  # a system that gives no more processes: those that there are draw, or this one
            while apart and len(self._helpers) < min(MOST, cores):
                self._helpers.append(_start())

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over = True
        for helper in self._helpers:
            helper.kill()
        self._threads.shutdown()
        for helper in self._helpers:
            helper.communicate()

    def gaps(self, records: Path, attempts: list[dict[str, Any]]) -> Future[Gaps]:
        """The token gaps of a run (``token_gaps``), read meanwhile. To be asked for, and waited for, before pictures are."""
        return self._threads.submit(self._gaps, GapsAsked(records, attempts))

    def _gaps(self, asked: GapsAsked) -> Gaps:
        from fmbench.report.token_gaps import token_gaps

        found: Gaps | None = _ask(self._helpers[0], asked) if self._helpers else None
        return token_gaps(asked.records, asked.attempts) if found is None and not self._over else found or {}

    def draw(self, pictures: Sequence[Picture]) -> list[Drawn]:
        """What came of each picture. It is called once."""
        if not self._helpers:
            return draw(pictures)
        waiting: SimpleQueue[int] = SimpleQueue()
        for place in range(len(pictures)):
            waiting.put(place)
        found: dict[int, Drawn] = {}
        for part in self._threads.map(lambda helper: _drawn_by(helper, pictures, waiting), self._helpers):
            found |= part
        return [found[place] for place in range(len(pictures))]


def draw(pictures: Sequence[Picture], drawing: Drawing | None = None) -> list[Drawn]:
    """What came of each picture; in this process where no other was started for it."""
    return [drawn(picture) for picture in pictures] if drawing is None else drawing.draw(pictures)


def drawn(picture: Picture) -> Drawn:
    """A picture's PNG, or what went wrong with it."""
    from fmbench.report.png import png

    try:
        return png(picture)
    except Exception as error:
        LOG.exception("a picture could not be drawn: %s", picture.title)
        return f"{type(error).__name__}: {error}"


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", __name__]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def _ask(helper: subprocess.Popen[bytes], job: list[Picture] | GapsAsked) -> Any:
    """What a helper made of a job; None where it died, or could not do it."""
    assert helper.stdin is not None and helper.stdout is not None
    try:
        pickle.dump(job, helper.stdin)
        helper.stdin.flush()
        return pickle.load(helper.stdout)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None


def _drawn_by(helper: subprocess.Popen[bytes], pictures: Sequence[Picture], waiting: SimpleQueue[int]) -> dict[int, Drawn]:
    """What a helper made of the pictures that it came to, by their places: the next one is whoever's is free."""
    made: dict[int, Drawn] = {}
    with suppress(Empty):
        while True:
            place = waiting.get_nowait()
            found: list[Drawn] | None = _ask(helper, [pictures[place]])
            if found is None:
                LOG.warning("a process that draws pictures ended: they are drawn here")
            made[place] = drawn(pictures[place]) if found is None else found[0]
    return made


def _serve() -> None:
    gc.disable()  # a process of some seconds: looking for garbage would be a fifth of them
    import fmbench.report.png  # noqa: F401  ready before the pictures are

    with suppress(EOFError):  # who asked is done, or gone
        while True:
            done = _did(pickle.load(sys.stdin.buffer))
            sys.stdout.buffer.write(pickle.dumps(done))
            sys.stdout.buffer.flush()


def _did(job: list[Picture] | GapsAsked) -> list[Drawn] | Gaps | None:
    """None: what was asked for cannot be done here, and the process that asked finds out why."""
    if not isinstance(job, GapsAsked):
        return [drawn(picture) for picture in job]
    from fmbench.report.token_gaps import token_gaps

    try:
        return token_gaps(job.records, job.attempts)
    except Exception:
        return None


if __name__ == "__main__":
    from fmbench.report.drawing import _serve as serve  # what is pickled is of the module by its name

    serve()

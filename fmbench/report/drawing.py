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
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what starts them is imported before anything that is heavy
    from fmbench.report.picture import Picture, Values

LOG = logging.getLogger(__name__)
MOST = 2

Drawn = bytes | str
"""A picture's PNG, or what went wrong with it."""
Gaps = dict[str, "Values"]
"""Seconds between content events, by model."""
Waiting = SimpleQueue["tuple[int, Picture] | None"]
"""Pictures to be drawn, with their places; a None for each that draws when there are no more."""


@dataclass(frozen=True, slots=True)
class GapsAsked:
    """Whose token gaps are asked for: the folder of the records, and the lines of cells.jsonl."""

    records: Path
    attempts: list[dict[str, Any]]


class Drawing:
    """Draws pictures and reads token gaps, in processes that start before they are asked; a context manager.

    One starts at once, the other when the token gaps are read, as the figures need a core before. Where there is one core, or
    matplotlib is here already, all is done in this process. The bytes are the same.
    """

    def __init__(self) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._most = min(MOST, cores) if cores > 1 and "matplotlib" not in sys.modules else 0
        self._helpers: list[subprocess.Popen[bytes]] = []
        self._threads = ThreadPoolExecutor(MOST)
        self._over = False
        self._start(min(1, self._most))

    def _start(self, count: int) -> None:
        with suppress(OSError):  # a system that gives no more processes: those that there are draw, or this one
            while len(self._helpers) < count and not self._over:
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
        found: Gaps | None = _ask(self._helpers[0], asked) if self._helpers else None
        self._start(self._most)
        if found is not None or self._over:
            return found or {}
        from fmbench.report.token_gaps import token_gaps

        return token_gaps(asked.records, asked.attempts)

    def draw(self, pictures: Iterable[Picture]) -> list[Drawn]:
        """What came of each picture; the first are drawn while the next are made. It is called once."""
        self._start(self._most)
        if not self._helpers:
            return draw(pictures)
        waiting: Waiting = SimpleQueue()
        parts = [self._threads.submit(_drawn_by, helper, waiting) for helper in self._helpers]
        try:
            for place, picture in enumerate(pictures):
                waiting.put((place, picture))
        finally:
            for _ in self._helpers:
                waiting.put(None)
        found = {place: done for part in parts for place, done in part.result().items()}
        return [found[place] for place in sorted(found)]


def draw(pictures: Iterable[Picture], drawing: Drawing | None = None) -> list[Drawn]:
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


def _drawn_by(helper: subprocess.Popen[bytes], waiting: Waiting) -> dict[int, Drawn]:
    """What a helper made of the pictures that it came to, by their places: the next one is whoever's is free."""
    made: dict[int, Drawn] = {}
    while (given := waiting.get()) is not None:
        place, picture = given
        found: list[Drawn] | None = _ask(helper, [picture])
        if found is None:
            LOG.warning("a process that draws pictures ended: they are drawn here")
        made[place] = drawn(picture) if found is None else found[0]
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

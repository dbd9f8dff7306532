"""Pictures are drawn by processes of their own while the figures are made: matplotlib takes longer than a million records do.

python -m fmbench.report.drawing      # pictures on stdin, what was drawn on stdout; both pickled, by the process that started it
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType

from fmbench.report.picture import Picture

LOG = logging.getLogger(__name__)
MOST = 2

Drawn = bytes | str
"""A picture's PNG, or what went wrong with it."""


class Drawing:
    """Draws pictures, in processes that start at once and are ready when the pictures are; a context manager.

    Where there is one core, or matplotlib is here already, they are drawn in this process. The bytes are the same.
    """

    def __init__(self) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        apart = cores > 1 and "matplotlib" not in sys.modules
        self._helpers: list[subprocess.Popen[bytes]] = []
        with suppress(OSError):  # a system that gives no more processes: those that there are draw, or this one
            while apart and len(self._helpers) < min(MOST, cores):
                self._helpers.append(_start())

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for helper in self._helpers:
            helper.kill()
            helper.communicate()

    def draw(self, pictures: Sequence[Picture]) -> list[Drawn]:
        """What came of each picture. It is called once."""
        if not self._helpers:
            return draw(pictures)
        shares = [list(range(start, len(pictures), len(self._helpers))) for start in range(len(self._helpers))]
        with ThreadPoolExecutor(len(self._helpers)) as threads:
            parts = threads.map(_ask, self._helpers, [[pictures[place] for place in share] for share in shares])
            found = {
                place: one for share, part in zip(shares, parts, strict=True) for place, one in zip(share, part, strict=True)
            }
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


def _ask(helper: subprocess.Popen[bytes], pictures: list[Picture]) -> list[Drawn]:
    """What a helper made of its pictures; they are drawn here where it died."""
    try:
        said, _ = helper.communicate(pickle.dumps(pictures))
        return list(pickle.loads(said))
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        LOG.warning("a process that draws pictures ended: %s", error)
        return [drawn(picture) for picture in pictures]


def _serve() -> None:
    gc.disable()  # a process of some seconds: looking for garbage would be a fifth of them
    import fmbench.report.png  # noqa: F401  ready before the pictures are

    try:
        pictures: list[Picture] = pickle.load(sys.stdin.buffer)
    except EOFError:  # who asked is gone
        return
    sys.stdout.buffer.write(pickle.dumps([drawn(picture) for picture in pictures]))


if __name__ == "__main__":
    _serve()

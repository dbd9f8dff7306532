"""What load processes write, kept open by who supervises them: it outlives the run folder and the processes together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from fmbench.storage.put_back import put_back

LOOK_S = 0.1
PATTERNS = ("journal/*.jsonl", "answers/*.jsonl", "cells.jsonl")
MOST_HELD = 256
"""So many files at most, as who supervises needs some of those that a process may open."""


class Held:
    """The open journals, answers and ``cells.jsonl`` of a run folder, looked for again and again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._files: dict[Path, int] = {}
        self._over = Event()
        self._watch = Thread(target=self._look_often, name="held-files", daemon=True)
        self._watch.start()

    def put_back(self) -> None:
        """The processes have ended: write again what was deleted and not by them. What cannot be written stays away."""
        self._end_watch()
        for path, file in self._files.items():
            with suppress(OSError):
                put_back(file, path)

    def close(self) -> None:
        self._end_watch()
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _end_watch(self) -> None:
        self._over.set()
        self._watch.join()

    def _look_often(self) -> None:
        while not self._over.wait(LOOK_S):
            for pattern in PATTERNS:
                with suppress(OSError):  # its folder is deleted in this moment
                    for path in self._folder.glob(pattern):
                        with suppress(OSError):  # so is it, or too many files are open: it is not held
                            self._take(path)

    def _take(self, path: Path) -> None:
        held = self._files.get(path)
        if held is None and len(self._files) >= MOST_HELD:
            return
        if held is not None and os.path.samestat(path.stat(), os.fstat(held)):
            return
        new = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        if held is not None and os.fstat(new).st_size < os.fstat(held).st_size:
            os.close(new)  # its writer is just writing it again
            return
        self._files[path] = new
        if held is not None:
            os.close(held)


@contextmanager
def holding(folder: Path) -> Iterator[Held]:
    """Hold what comes to be in ``folder`` while it lasts."""
    held = Held(folder)
    try:
        yield held
    finally:
        held.close()

"""The way of a run's files to the store: one after the other, again and again until the store takes them."""

from __future__ import annotations

import hashlib
import logging
import time
from pathlib import Path

import gevent
from gevent.event import Event

from fmbench.core.failures import FmbenchError
from fmbench.load.protocol import SharedStore, StoredFile
from fmbench.storage.store import store_for

log = logging.getLogger(__name__)

RETRY_S = 1.0
READ_BYTES = 1 << 20


def outbox_to(store: SharedStore | None, folder: Path) -> Outbox | None:
    """The way from ``folder`` to the store of the run, if it has one."""
    return None if store is None else Outbox(folder, store.address, store.region)


class Outbox:
    """Brings files of ``folder`` to the store, one after the other, again and again until the store takes them.

    ``stored`` says of each file that is there: bytes, lines, SHA-256. A journal's part is removed here once it is there.
    """

    def __init__(self, folder: Path, address: str, region: str | None) -> None:
        self.folder = folder
        self.stored: dict[str, StoredFile] = {}
        self._place = (address, region)
        self._store = store_for(address, region)
        self._waiting: list[str] = []
        self._idle = Event()
        self._idle.set()

    def send(self, name: str) -> None:
        """Have the file ``name`` stored as it is now; an empty one is not worth it."""
        path = self.folder / name
        if not path.exists() or not path.stat().st_size:
            path.unlink(missing_ok=True)
        elif name not in self._waiting:
            self._waiting.append(name)
            if self._idle.is_set():
                self._idle.clear()
                gevent.spawn(self._work)

    def wait(self, timeout_s: float) -> bool:
        """Whether everything is stored, within that time."""
        return bool(self._idle.wait(timeout_s))

    def unsent(self) -> list[str]:
        """What the store has not taken yet."""
        return list(self._waiting)

    def _work(self) -> None:
        while self._waiting:
            try:
                self._store_one(self._waiting[0])
                self._waiting.pop(0)
            except (FmbenchError, OSError) as error:
                log.warning("%s is not stored yet: %s", self._waiting[0], error)
                gevent.sleep(RETRY_S)
                self._store = store_for(*self._place)
        self._idle.set()

    def _store_one(self, name: str) -> None:
        path = self.folder / name
        part = gevent.get_hub().threadpool.apply(describe, (path,))
        self._store.put_file(name, path)
        self.stored[name] = part
        if name.startswith("journal/"):
            path.unlink()


def describe(path: Path) -> StoredFile:
    """A file as it is now."""
    digest, size, lines = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            digest.update(piece)
            size += len(piece)
            lines += piece.count(b"\n")
    return StoredFile(bytes=size, lines=lines, sha256=digest.hexdigest(), at=time.time())

"""A load process on a host that does not see the run folder: it fetches what was prepared, and stores what it wrote in parts.

Nothing of a request passes through the master. Files go to the store between cells, when no request is in flight.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import Event

from fmbench.config.addresses import STORE_EXAMPLES
from fmbench.core.failures import FmbenchError, Refused
from fmbench.core.names import below
from fmbench.storage.share import fetch_prepared, prepared_digests
from fmbench.storage.store import store_for

log = logging.getLogger(__name__)

RETRY_S = 1.0
READ_BYTES = 1 << 20


def greeting(folder: Path, region: str | None, endpoint: Mapping[str, str | None] | None) -> dict[str, Any]:
    """What the master tells a process that joins: where the run is. ``FMBENCH_STORE`` is its address for other hosts, if any."""
    address = os.environ.get("FMBENCH_STORE")
    store = {"address": address, "region": region, "sha256": prepared_digests(folder)} if address else None
    return {"folder": str(folder.resolve()), "endpoint": endpoint, "store": store, "host": socket.gethostname()}


def settle_in(data: Mapping[str, Any], run_id: str) -> tuple[Path, Outbox | None]:
    """The folder to work in, and the way to the store when it is this process's own.

    A process that was forked on the master's machine works in the run folder. Raises ``Refused`` with the cure when there is no
    way to share the run.
    """
    if "FMBENCH_RUN" in os.environ:
        return Path(data["folder"]), None
    _check_reach(data)
    if data["store"] is not None:
        folder = below(_scratch(), run_id)
        fetch_prepared(store_for(data["store"]["address"], data["store"]["region"]), data["store"]["sha256"], folder)
        return folder, outbox_of(data, folder)
    if not (Path(data["folder"]) / "plan.json").exists():
        cure = f"give the master --output {STORE_EXAMPLES}, or an --output on a disk that every host mounts at the same place"
        raise Refused(f"{data['folder']}: the run folder of the master on {data['host']} is not on this host; {cure}.")
    return Path(data["folder"]), None


def outbox_of(data: Mapping[str, Any], folder: Path) -> Outbox | None:
    """The way from ``folder`` to the store that the greeting names, if it names one."""
    place = data["store"]
    return None if place is None else Outbox(folder, place["address"], place["region"])


def _scratch() -> Path:
    given = os.environ.get("FMBENCH_SCRATCH")
    return Path(given) if given else Path(tempfile.mkdtemp(prefix="fmbench-load-"))


def _check_reach(data: Mapping[str, Any]) -> None:
    endpoint, here = data["endpoint"], socket.gethostname()
    if endpoint and urlsplit(endpoint["url"]).hostname in ("127.0.0.1", "localhost", "::1") and data["host"] != here:
        cure = "start `fmbench-load simulate --host 0.0.0.0` where all can reach it, take simulator: out of the file, and set"
        variable = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME for the master and the workers"
        raise Refused(f"the simulator on {data['host']} cannot be reached from {here}; {cure} {variable}.")


class Outbox:
    """Brings files of ``folder`` to the store, one after the other, again and again until the store takes them.

    ``stored`` says of each file that is there: bytes, lines, SHA-256. A journal's part is removed here once it is there.
    """

    def __init__(self, folder: Path, address: str, region: str | None) -> None:
        self.folder = folder
        self.stored: dict[str, dict[str, Any]] = {}
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


def describe(path: Path) -> dict[str, Any]:
    """``{bytes, lines, sha256, at}`` of a file."""
    digest, size, lines = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            digest.update(piece)
            size += len(piece)
            lines += piece.count(b"\n")
    return {"bytes": size, "lines": lines, "sha256": digest.hexdigest(), "at": time.time()}

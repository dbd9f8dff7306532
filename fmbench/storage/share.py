"""What load processes on other hosts share with their master: a store, and nothing else.

The master puts the prepared part of the run folder there. Each process brings its journal there in parts, each closed when no
request of it was in flight. At the end the master fetches them, and holds them against what the processes said they had stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fmbench.core.failures import FmbenchError, Refused
from fmbench.core.names import below
from fmbench.core.plan import Plan
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.store import Store, store_for
from fmbench.storage.upload import upload_files

PREPARED = ("config.yml", "plan.json")
FROM_WORKERS = ("journal/", "health/", "answers/")
IN_A_ROW = 3
"""So many files that a store does not give, one after the other, and no more are asked for: each may take minutes."""


def share(folder: RunFolder, region: str | None) -> None:
    """Store what a load process needs to begin, and the manifest, which says what the run is should nobody come to finish it."""
    prompts = [file.file for file in Plan.from_json(folder.plan.read_bytes()).prompts]
    upload_files(folder, [*PREPARED, *prompts, folder.manifest.name], store_for(folder.address, region))


def prepared_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the prepared files by name; the plan has those of the prompts."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in PREPARED}


def fetch_prepared(store: Store, digests: Mapping[str, str], target: Path) -> None:
    """Copy the prepared part of a run to ``target``. Raises ``Refused`` when a file is not there or is not the one meant."""
    for name, digest in digests.items():
        _fetch(store, name, digest, target)
    for file in Plan.from_json((target / "plan.json").read_bytes()).prompts:
        _fetch(store, file.file, file.sha256, target)


def collect(folder: RunFolder, workers: Sequence[Mapping[str, Any]], region: str | None) -> tuple[list[str], list[str]]:
    """Fetch what load processes stored of their own; ``workers`` is load.json's list of what they said.

    Returns the names of the journals' parts that are here now, and a phrase for each that is missing or damaged. Rows that are
    missing show in the accounting: each process told the master how many requests it sent.
    """
    store = store_for(folder.address, region)
    digests = {name: part["sha256"] for row in workers for name, part in _parts(row)}
    stored = [name for prefix in FROM_WORKERS for name in store.list(prefix)]
    faults = [f"{name} was stored by a load process and is not there" for name in sorted(digests.keys() - set(stored))]
    fetched, fails = [], 0
    for place, name in enumerate(sorted(stored, key=lambda name: not name.startswith("journal/"))):
        if fails == IN_A_ROW:
            cure = f"`fmbench-load report {store.address}` fetches what is there when S3 can be read again"
            faults.append(f"{len(stored) - place} further files of load processes were not fetched from {store.address}: {cure}")
            break
        try:
            _fetch(store, name, digests.get(name), folder.path)
            fetched.append(name)
            fails = 0
        except Refused as error:
            faults.append(str(error))
            fails += 1
    return [name for name in fetched if name.startswith("journal/")], faults


def forget_parts(folder: RunFolder, names: Iterable[str], region: str | None) -> None:
    """Take away parts of journals whose rows are in stored records by now, and no others: one may have come since.

    What cannot be taken away stays.
    """
    store = store_for(folder.address, region)
    try:
        for name in names:
            store.delete(name)
    except (FmbenchError, OSError):
        return


def _parts(worker: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return ((name, part) for name, part in (worker.get("parts") or {}).items() if name.startswith("journal/"))


def _fetch(store: Store, name: str, digest: str | None, target: Path) -> None:
    try:
        data = store.get_bytes(name)
        if digest not in (None, hashlib.sha256(data).hexdigest()):
            data = store.get_bytes(name)
    except FileNotFoundError:
        raise Refused(f"{store.address}/{name}: is not there; the master stores it before the load.") from None
    found = hashlib.sha256(data).hexdigest()
    if digest not in (None, found):
        raise Refused(f"{store.address}/{name}: is not what was stored (SHA-256 {found}, not {digest}).")
    path = below(target, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)

"""A run folder: the names of everything in it, and how a new one comes to be."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fmbench.core.failures import Refused
from fmbench.core.names import below
from fmbench.storage.store import is_remote, store_for

SHOWN = 200
"""Characters of a name that cannot be, in the message."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of a run on this machine. ``address`` is where they belong: the folder itself, or the address of a store."""

    path: Path
    address: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        if not self.address:
            object.__setattr__(self, "address", str(self.path))

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def is_remote(self) -> bool:
        """Whether the files have to be uploaded to be where they belong."""
        return is_remote(self.address)

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def config(self) -> Path:
        return self.path / "config.yml"

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    @property
    def prompts(self) -> Path:
        return self.path / "prompts"

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def records(self) -> Path:
        return self.path / "records"

    @property
    def unfit(self) -> Path:
        """Rows with a value that its column cannot hold, as the journal had them; ``records`` holds them without it."""
        return self.path / "unfit"

    @property
    def answers(self) -> Path:
        """The answers' texts, kept only when the configuration asks for quality."""
        return self.path / "answers"

    @property
    def scores(self) -> Path:
        """What the answers are worth, once they are scored."""
        return self.path / "scores"

    @property
    def health(self) -> Path:
        return self.path / "health"

    @property
    def locust(self) -> Path:
        return self.path / "locust"

    @property
    def cells(self) -> Path:
        return self.path / "cells.jsonl"

    @property
    def load(self) -> Path:
        return self.path / "load.json"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        return self.path / "report.md"

    @property
    def log(self) -> Path:
        """What went on, and the traceback of a fault of the program."""
        return self.path / "fmbench.log"


def new_run_id(name: str, now: datetime | None = None) -> str:
    """``20261123T204600Z-<name>-<6 hex>``: sorts by time, and does not meet another one."""
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    return f"{moment}-{re.sub(r'[^A-Za-z0-9._-]', '-', name)}-{secrets.token_hex(3)}"


def check_name(output: str, name: str) -> None:
    """Raises as ``create`` does for an output whose name no disk or store takes, or that is below a file. Writes nothing."""
    run_id = new_run_id(name)
    if is_remote(output):
        store_for(f"{output.rstrip('/')}/{run_id}")
        return
    path = Path(store_for(output).address) / run_id
    try:
        os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refused(f"output {output[:SHOWN]}: cannot be written ({error.strerror}); choose another --output.") from None


def create(output: str, name: str, run_id: str | None = None, region: str | None = None) -> RunFolder:
    """A new, empty run folder ``<output>/<run_id>``. For another store its files stay in a temporary folder until ``upload``.

    Raises ``Refused`` when the run id exists there already or the output cannot be written.
    """
    run_id = run_id or new_run_id(name)
    if is_remote(output):
        return _create_remote(output, run_id, region)
    store_for(output).check_writable()
    path = Path(output).expanduser() / run_id
    try:
        path.mkdir()
    except FileExistsError:
        raise Refused(f"{path}: this run exists already; --resume {run_id} goes on with it.") from None
    return RunFolder(path)


def _create_remote(output: str, run_id: str, region: str | None) -> RunFolder:
    store = store_for(output, region)
    address = f"{store.address}/{run_id}"
    try:
        claim = f'{{"run_id": "{run_id}", "status": "preparing", "claim": "{secrets.token_hex(8)}"}}\n'
        store.put_bytes(f"{run_id}/manifest.json", claim.encode(), if_absent=True)
    except FileExistsError:
        raise Refused(f"{address}: this run exists already; start again for a new run id.") from None
    path = work_folder(run_id)
    path.mkdir()
    return RunFolder(path, address)


def work_folder(run_id: str) -> Path:
    """Where the files of a run stay until they are on S3: in the user's own folder below ``TMPDIR``."""
    above = Path(tempfile.gettempdir()) / f"fmbench-load-{os.getuid()}"
    above.mkdir(mode=0o700, exist_ok=True)
    if above.is_symlink() or above.stat().st_uid != os.getuid():
        raise Refused(f"{above}: belongs to somebody else; set TMPDIR to a folder of your own.")
    return below(above, run_id)


def discard(folder: RunFolder, region: str | None = None) -> None:
    """Take away a run folder in which nothing was sent, and its run id with it."""
    shutil.rmtree(folder.path, ignore_errors=True)
    if folder.is_remote:
        store = store_for(folder.address, region)
        for name in sorted(store.list(), key=lambda name: name == "manifest.json"):
            store.delete(name)

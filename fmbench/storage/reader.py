"""A stored run, to be read: the one way in for reports and comparisons."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from fmbench.core.failures import UnusableInput
from fmbench.core.names import below
from fmbench.core.table import Table
from fmbench.storage.compact import read_compact
from fmbench.storage.links import check_links
from fmbench.storage.manifest import read_manifest
from fmbench.storage.record_table import record_table
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.scores import read_scores
from fmbench.storage.store import is_remote, store_for
from fmbench.storage.table import check_parts, reading
from fmbench.storage.upload import MANIFEST, download, upload_files

MOST_LISTED = 8

_HEALTH_COLUMNS = (
    "at",
    "for_s",
    "worker",
    "lag_p50_s",
    "lag_p99_s",
    "lag_max_s",
    "cpu",
    "in_flight",
    "sent",
    "done",
    "new_connections",
    "start_delay_max_s",
    "credentials_wait_s",
)


class LocalRun:
    """A run whose files are on this machine: ``folder`` names them, ``address`` is where the run belongs."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._checked = False

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def address(self) -> str:
        return self.folder.address

    @property
    def run_id(self) -> str:
        return self.folder.run_id

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest, as it was stored."""
        return read_manifest(self.folder)

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """The lines of cells.jsonl: one an attempt at a cell. A line that was cut off is left out."""
        return read_lines(self.folder.cells)

    def records(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The records (docs/records.md), or some of their columns: a row a request, by worker, each in the order of the ends."""
        self._check_sealed()
        wanted = None if columns is None else list(columns)
        with reading(self.folder.records):
            return pd.read_parquet(self.folder.records, columns=wanted)

    def compact_records(self, columns: Sequence[str]) -> pd.DataFrame:
        """The same rows, for figures over very many: text as categories, in the order of the alphabet."""
        self._check_sealed()
        with reading(self.folder.records):
            return read_compact(self.folder.records, columns)

    def table(self) -> Table:
        """The records as the table that figures are of, read on demand: for runs of any size."""
        self._check_sealed()
        return record_table(self.folder.records)

    def _check_sealed(self) -> None:
        if not self.folder.records.is_dir():
            raise UnusableInput(f"{self.address}: was not finished; `fmbench-load report {self.address}` does that.")
        if not self._checked:
            check_parts(self.folder.records)
            self._checked = True

    def health(self) -> pd.DataFrame:
        """A row a second and load process: scheduling lag, CPU, requests in flight. Empty, with its columns, at worst."""
        rows = [row for path in sorted(self.folder.health.glob("*.jsonl")) for row in read_lines(path)]
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(_HEALTH_COLUMNS))

    def answers(self) -> Iterator[dict[str, Any]]:
        """``{worker, user, seq, prompt_id, text}`` of each answer that was kept, by worker."""
        for path in sorted(self.folder.answers.glob("*.jsonl")):
            yield from read_lines(path)

    def scores(self) -> pd.DataFrame | None:
        """``worker, user, seq, metric, quality`` of each answer that was scored; None where none was."""
        return read_scores(self.folder.scores) if self.folder.scores.is_dir() else None

    def publish(self, names: Sequence[str]) -> None:
        """Store the files ``names`` where the run belongs, when that is not here."""
        if self.folder.is_remote:
            upload_files(self.folder, names, store_for(self.address))


def open_run(address: str) -> LocalRun:
    """The run at ``address``, a path or the address of a store. From a store it is downloaded, and gone with the ``LocalRun``.

    Raises ``UnusableInput`` when there is no run folder.
    """
    run = _download(address) if is_remote(address) else LocalRun(RunFolder(_local(address)))
    _ = run.manifest
    return run


def _local(address: str) -> Path:
    path = _folder(address)
    if path.is_dir() and not (path / MANIFEST).exists():
        _refuse_above(address, [str(found.parent) for depth in ("*", "*/*") for found in path.glob(f"{depth}/{MANIFEST}")])
    elif path.is_dir():
        check_links(path)
    return path


def _refuse_above(address: str, runs: Sequence[str]) -> None:
    """Raises ``UnusableInput`` that lists the runs below an address, the newest first, where there are any."""
    if not runs:
        return
    newest = sorted(runs, key=lambda run: run.rpartition("/")[2], reverse=True)
    more = f", and {len(runs) - MOST_LISTED} more (fmbench-load runs {address})" if len(runs) > MOST_LISTED else ""
    raise UnusableInput(
        f"{address}: is no run folder, but above some; give one of these: {', '.join(newest[:MOST_LISTED])}{more}."
    )


def _folder(address: str) -> Path:
    path = Path(address).expanduser()
    return (path.parent if path.name == "manifest.json" else path).resolve()


def _download(address: str) -> LocalRun:
    store = store_for(address)
    names = store.list()
    if MANIFEST not in names:
        above = [name.removesuffix(f"/{MANIFEST}") for name in names if name.endswith(f"/{MANIFEST}")]
        _refuse_above(address, [f"{store.address}/{name}" for name in above])
        what = "it has no manifest.json" if names else "nothing is stored there"
        raise UnusableInput(f"{address}: is no run folder ({what}); give an address that ends with a run's id.")
    scratch = tempfile.mkdtemp(prefix="fmbench-load-")
    path = below(Path(scratch), store.address.rpartition("/")[2])
    run = LocalRun(RunFolder(path, store.address))
    weakref.finalize(run, shutil.rmtree, scratch, ignore_errors=True)
    download(store, path)
    return run


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects in the lines of ``path``; none where there is no file, and without a last line that was cut off."""
    rows = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            row = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows

"""The journal: two lines a request, one before its bytes go out and one after it is over.

Each line is JSON, ``{"intent": {…}}`` or ``{"record": {…}}`` with a whole record inside, and is handed to the operating system at
once, so a process that is killed leaves every request that it sent on disk. An intent's record says ``outcome: abandoned``:
taken as it stands, it is the truth about a request whose end nobody saw.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import orjson

from fmbench.core.records import Record
from fmbench.storage.fitting import fitted, misfits
from fmbench.storage.put_back import put_back

Kind = Literal["intent", "record"]
Entry = tuple[Kind, dict[str, Any]]
_KINDS: tuple[Kind, ...] = ("intent", "record")

_INTENT = b'{"intent":'
_RECORD = b'{"record":'
_END = b"}\n"


class JournalWriter:
    """Appends to one journal file, which no other process writes. Raises ``OSError`` when the disk takes no more."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._path = path.absolute()
        self._torn = False
        hold(self._file)

    def intent(self, record: Record) -> None:
        """Write down that ``record`` is about to be sent: on return its line is in the file."""
        self._append(_INTENT + _as_json(record) + _END)

    def record(self, record: Record) -> None:
        """Write down what became of ``record``."""
        self._append(_RECORD + _as_json(record) + _END)

    def put_back(self) -> None:
        """Write all of it again where it was, should somebody have deleted it. Raises ``OSError`` when that cannot be done."""
        if put_back(self._file, self._path):
            hold(self._file)

    def close(self) -> None:
        """Bring the file to the disk, again where it was deleted, and close it."""
        with suppress(OSError):  # what was deleted cannot be saved: the run says how much is lost
            self.put_back()
        os.fsync(self._file)
        os.close(self._file)

    def _append(self, line: bytes) -> None:
        if self._torn:
            line = b"\n" + line
        self._torn = True
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._torn = False


def hold(file: int) -> None:
    """Lock an open file, a journal, for as long as this process lives, however it ends: nobody seals what is still written."""
    with suppress(OSError):  # a file system without locks
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_written(path: Path) -> bool:
    """Whether a process that lives writes the journal at ``path``."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def written_journals(folder: Path) -> list[Path]:
    """The journals in ``folder`` that are still written."""
    return [path for path in sorted(folder.glob("*.jsonl")) if is_written(path)]


def _as_json(record: Record) -> bytes:
    """The record as JSON; values that JSON cannot hold (half characters, numbers past 64 bits) are left out and named."""
    try:
        return orjson.dumps(record)
    except TypeError:
        row = record.to_dict()
        return orjson.dumps(fitted(row, misfits(row)))


class JournalReader:
    """The entries of a journal in the order written. ``torn`` counts the lines that were cut off and had to be left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.torn = 0

    def __iter__(self) -> Iterator[Entry]:
        self.torn = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.strip():
                    continue
                entry = _entry(line)
                if entry is None:
                    self.torn += 1
                else:
                    yield entry


def read_journal(path: Path) -> JournalReader:
    """The journal at ``path``: iterate for ``(kind, row)``, then ask ``torn``. A cut line never raises or hides another."""
    return JournalReader(path)


def _entry(line: bytes) -> Entry | None:
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(parsed, dict):
        return None
    for kind in _KINDS:
        row = parsed.get(kind)
        if isinstance(row, dict):
            return kind, row
    return None

"""Files of JSON lines or of one JSON array, wherever they are: a file, a folder, a zip, or any of these in a store."""

from __future__ import annotations

import hashlib
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from fmbench.core.failures import UnusableInput
from fmbench.prompts.reading import remote
from fmbench.prompts.reading.arrays import array_items
from fmbench.prompts.reading.shapes import no_lines, no_text
from fmbench.storage.store import is_remote

LONGEST_LINE = 64 << 20
LINES = (".jsonl", ".ndjson")
TABLES = (".parquet", ".csv", ".tsv", ".arrow")
_BROKEN_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
"""What ``zipfile`` raises for bytes that are no sound archive."""
MOST_BLANK_LINES = 1_000_000
MOST_FILES = 1_000
"""Of a folder or an archive."""
_MADE_UP = ("/proc", "/sys")
"""What stands there is no file on a disk: it may have no end, or never come."""


@dataclass(frozen=True, slots=True)
class LinesFile:
    """One JSON-lines file. ``size`` is in bytes; ``name`` is what messages call it."""

    name: str
    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]

    @property
    def task(self) -> str:
        """The file's name without folder and ending: ``hotpotqa`` for ``data/hotpotqa.jsonl``."""
        return PurePosixPath(self.name).name.rsplit(".", 1)[0]


def find(address: str, scratch: Path) -> tuple[list[LinesFile], str]:
    """The JSON-lines files at a path or in a store, by name, and the SHA-256 of it all.

    That of a file or a zip is its own; a folder's is that of its ``sha256sum`` listing.
    Raises ``UnusableInput`` when none is there.
    """
    path = remote.download(address, scratch / "fetched", (".jsonl",)) if is_remote(address) else Path(address).expanduser()
    if not path.exists():
        raise UnusableInput(
            f"dataset.path: {address} does not exist: give a folder of *.jsonl, a file, a data.zip or an address in a store"
        )
    if path.is_dir():
        return _in_folder(path, address)
    if not path.is_file() or any(path.resolve().is_relative_to(made_up) for made_up in _MADE_UP):
        raise UnusableInput(f"dataset.path: {address} is a device or a pipe, not a file: give a file that can be read twice")
    digest = sha256(path)
    return (_in_zip(path, address), digest) if zipfile.is_zipfile(path) else ([_plain(path, path.name)], digest)


def records(file: LinesFile) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Each line's object, its number (from 1) and the bytes read so far. Blank lines are passed over.

    Where the file is one JSON array, each of its objects.
    """
    done = blank = 0
    try:
        with file.open() as lines:
            if _is_array(lines):
                yield from array_items(lines, file.name, LONGEST_LINE)
                return
            for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE + 1), b""), start=1):
                done += len(line)
                if len(line) > LONGEST_LINE:
                    raise UnusableInput(f"{file.name} line {number}: is longer than {LONGEST_LINE >> 20} MiB: is it JSON lines?")
                if line.strip():
                    yield _parsed(line, file.name, number), number, done
                    continue
                blank += 1
                if blank > MOST_BLANK_LINES:
                    raise UnusableInput(f"{file.name}: has more than {MOST_BLANK_LINES:,} blank lines: is it the right file?")
    except _BROKEN_ARCHIVE as error:
        raise _broken(file.name, error) from error


def _broken(name: str, error: Exception) -> UnusableInput:
    return UnusableInput(f"{name}: cannot be read ({error or type(error).__name__}): fetch or pack the file again")


def sha256(path: Path) -> str:
    """A file's SHA-256 (hex), read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parsed(line: bytes, name: str, number: int) -> dict[str, Any]:
    where = f"{name} line {number}"
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        cure = no_text(line) or "save the file as UTF-8"
        raise UnusableInput(f"{where}: is not UTF-8 (byte {error.start + 1} of the line): {cure}") from error
    except (ValueError, RecursionError) as error:
        cure = no_lines(line) or "each line must be one whole JSON object"
        raise UnusableInput(f"{where}: is not JSON ({error}): {cure}") from error
    if not isinstance(record, dict):
        raise UnusableInput(f"{where}: is a JSON {type(record).__name__}, not an object: each line must be one JSON object")
    return record


def _is_array(stream: BinaryIO) -> bool:
    """Whether a file begins as a JSON array does. It looks ahead: an archive checks no sum of what was read after a seek."""
    start: bytes = cast(Any, stream).peek(512)
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[") and b"\0" not in start[:4]


def _plain(path: Path, name: str) -> LinesFile:
    return LinesFile(name, path.stat().st_size, lambda: path.open("rb"))


def _in_folder(folder: Path, address: str) -> tuple[list[LinesFile], str]:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    paths = [path for path in files if path.suffix in LINES] or [path for path in files if path.suffix == ".json"]
    if not paths:
        others = sorted({path.suffix for path in files if path.suffix in TABLES})
        cure = f"for its *{others[0]} use source: huggingface" if others else "give the folder that the <task>.jsonl are in"
        raise UnusableInput(f"dataset.path: the folder {address} holds no *.jsonl file: {cure}")
    _check_number(len(paths), address)
    listing = "".join(f"{sha256(path)}  {path.name}\n" for path in paths)
    return [_plain(path, path.name) for path in paths], hashlib.sha256(listing.encode()).hexdigest()


def _check_number(files: int, address: str) -> None:
    if files > MOST_FILES:
        raise UnusableInput(f"dataset.path: {address} holds {files:,} files, and at most {MOST_FILES:,} are read: join them")


def _in_zip(path: Path, address: str) -> list[LinesFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = sorted(
                (member for member in archive.infolist() if not member.filename.startswith("__MACOSX/")),
                key=lambda member: member.filename,
            )
    except _BROKEN_ARCHIVE as error:
        raise _broken(address, error) from error
    members = [member for member in inside if member.filename.endswith(LINES)]
    members = members or [member for member in inside if member.filename.endswith(".json")]
    if not members:
        raise UnusableInput(f"dataset.path: the archive {address} holds no *.jsonl file: LongBench's has data/<task>.jsonl")
    _check_number(len(members), address)
    return [LinesFile(member.filename, member.file_size, partial(_open_member, path, member.filename)) for member in members]


@contextmanager
def _open_member(path: Path, name: str) -> Iterator[BinaryIO]:
    with zipfile.ZipFile(path) as archive, archive.open(name) as member:
        yield cast(BinaryIO, member)

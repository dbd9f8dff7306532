"""Files that are there whole or not at all: written beside their place, brought to the disk, then renamed over it.

A crash leaves the old file or the new one, and at worst a hidden ``.name.….part`` that no reader looks at. Local disks only.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_bytes(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``. Raises ``OSError`` and leaves what was there when the disk does not take it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Put ``text`` at ``path`` as UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Put ``value`` at ``path`` as JSON that every reader takes: no NaN, keys in the order given, one newline at the end."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def part_path(path: Path) -> Path:
    """A hidden name in ``path``'s folder for a file that is not whole yet."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def commit(part: Path, path: Path) -> None:
    """Bring ``part``, a file that somebody else wrote and closed, to the disk and give it its name."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

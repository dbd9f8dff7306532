"""Names that come from outside (a bucket, a zip, another process): none of them leaves the folder that it is put in."""

from __future__ import annotations

from pathlib import Path

from fmbench.core.failures import Refused
from fmbench.core.neutral import neutral

MAX_NAME = 1024
MAX_STEP = 240
"""A file's own name, in bytes: file systems take 255, and a part that is not whole yet has a longer one."""


def is_inside(name: str) -> bool:
    """Whether ``name`` is a relative path with ``/`` that stays below the folder it is put in, and that every disk takes."""
    if not name or len(name) > MAX_NAME or "\\" in name or not name.isprintable():
        return False
    return all(step not in ("", ".", "..") and len(step.encode()) <= MAX_STEP for step in name.split("/"))


def below(folder: Path, name: str) -> Path:
    """The path of ``name`` in ``folder``. Raises ``Refused`` for a name that would be outside of it, or that no disk takes."""
    if not is_inside(name):
        raise Refused(f"{neutral(name, 120)!r}: is no name of a file below {folder}; it is not used.")
    return folder / name

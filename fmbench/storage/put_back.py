"""Files that are open and were deleted: what they hold is written again at their place, and their writer goes on there."""

from __future__ import annotations

import os
from pathlib import Path

_PIECE = 1 << 20


def put_back(file: int, path: Path) -> bool:
    """When the open ``file``, which was made at ``path``, has no name any more: bring what it holds there again.

    The number ``file`` is of the new one from then on. False: it has its name still, at ``path`` or where it was moved to.
    Raises ``OSError`` when it cannot be read (not on Linux) or the disk does not take it; the number is then the old file's.
    """
    if os.fstat(file).st_nlink:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        _copy(Path(f"/proc/self/fd/{file}"), new)
        os.dup2(new, file, inheritable=False)
    finally:
        os.close(new)
    return True


def _copy(source: Path, target: int) -> None:
    with source.open("rb", buffering=0) as open_file:
        while piece := open_file.read(_PIECE):
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(target, rest) :]
    os.fsync(target)

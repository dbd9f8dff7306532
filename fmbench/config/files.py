"""The bytes of a file that a user named, or of standard input: no more of them than a configuration has."""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from pathlib import Path

LARGEST_FILE = 1_000_000
STDIN = "-"
"""The address of a configuration that comes on standard input."""
_NOBODY_S = 0.3
"""How long a pipe that nobody has opened for writing is waited for."""
_SILENT_S = 10.0
"""How long a pipe is waited for whose writer says nothing."""


def read_some(path: Path, most: int = LARGEST_FILE) -> bytes:
    """What ``path`` holds, at most ``most`` + 1 bytes of it; no pipe is waited for without end. Raises ``OSError``, for a pipe
    that brings nothing too."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(most + 1)
        return _from_pipe(handle, most)
    finally:
        os.close(handle)


def read_stdin(most: int = LARGEST_FILE) -> bytes:
    """What standard input brings up to its end, at most ``most`` + 1 bytes of it. Raises ``OSError`` where there is none."""
    if sys.stdin is None:
        raise OSError("it is closed")
    return sys.stdin.buffer.read(most + 1)


def _from_pipe(handle: int, most: int) -> bytes:
    """What a pipe or a device brings. A pipe without a writer is at its end, as one whose writer has closed it."""
    kept, began = bytearray(), time.monotonic()
    while len(kept) <= most:
        waited_s = time.monotonic() - began
        try:
            data = os.read(handle, 1 << 16)
        except BlockingIOError:
            if waited_s > _SILENT_S:
                raise TimeoutError(f"it is a pipe, and nothing came for {_SILENT_S:.0f} s") from None
            select.select([handle], [], [], 0.1)
            continue
        if data:
            kept += data
            began = time.monotonic()
        elif kept or waited_s > _NOBODY_S:
            break
        else:
            time.sleep(0.02)
    if not kept and stat.S_ISFIFO(os.fstat(handle).st_mode):
        raise TimeoutError("it is a pipe that nobody writes to")
    return bytes(kept)

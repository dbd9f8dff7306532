"""Columns of row groups, as they were read: kept as far as there is room, and read ahead by a thread where all of them fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray

from fmbench.core.columns import Kept

Piece = NDArray[Any]
Key = tuple[int, str]
"""Which row group, and which of its columns."""


class Pieces:
    """What ``read`` gives for a row group and the name of a column, read once as long as it is kept.

    A piece that is one value throughout takes no room (its strides are 0), and is never forgotten.
    """

    def __init__(self, read: Callable[[int, str], Piece], kept: Kept) -> None:
        self._read = read
        self._kept = kept
        self._even: dict[Key, Piece] = {}
        self._coming: dict[Key, Future[Piece]] = {}

    def read_ahead(self, wanted: Iterable[Key]) -> None:
        """Have a thread read these pieces, in their order. There has to be room for all of them, and ``read`` is called by two
        threads at once."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="records")
        self._coming |= {key: thread.submit(self._read, *key) for key in wanted}
        thread.shutdown(wait=False)

    def get(self, group: int, name: str, *, keep: bool = True) -> Piece:
        """A column of a row group. ``keep``: whether it is worth the room if it has to be read now."""
        key = (group, name)
        found: Piece | None = self._kept.get(self, key)
        if found is None:
            found = self._even.get(key)
        if found is None:
            found = self._came(key)
            if found.strides == (0,):
                self._even[key] = found
            elif keep:
                self._kept.put(self, key, found)
        return found

    def _came(self, key: Key) -> Piece:
        """What the thread has read; what it has not come to is read here."""
        coming = self._coming.pop(key, None)
        return self._read(*key) if coming is None or coming.cancel() else coming.result()

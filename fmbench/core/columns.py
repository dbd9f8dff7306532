"""Columns that are taken when they are first asked for, and forgotten when others need the room: a run of any size fits."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

ROOM = 32 << 20
"""Bytes of columns that are remembered; what is forgotten is taken again when it is asked for."""


@dataclass(frozen=True, slots=True)
class Words:
    """A column of few distinct words: ``codes`` index ``names``, -1 for null."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    def is_(self, word: str) -> Flags:
        """Where the column holds ``word``."""
        return self.codes == self.names.index(word) if word in self.names else np.zeros(len(self.codes), dtype=bool)

    def counts(self) -> dict[str, int]:
        """How often each word occurs, the most frequent first."""
        found = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))
        pairs = ((name, int(count)) for name, count in zip(self.names, found, strict=True) if count)
        return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))

    def __getitem__(self, rows: Any) -> Words:
        return Words(self.codes[rows], self.names)

    @property
    def nbytes(self) -> int:
        """Bytes that its values take."""
        return int(self.codes.nbytes)


Column = TypeVar("Column")
"""Numbers (``Floats``) or ``Words``."""


class Kept:
    """What was taken last, up to so many bytes: the first to be forgotten is what was not asked for the longest."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._held: OrderedDict[tuple[int, Any], tuple[object, Any]] = OrderedDict()
        self._bytes = 0

    def get(self, owner: object, name: Any) -> Any:
        """What ``owner`` put here under ``name``; None where it was forgotten, or never was."""
        found = self._held.get((id(owner), name))
        if found is None:
            return None
        self._held.move_to_end((id(owner), name))
        return found[1]

    def put(self, owner: object, name: Any, value: Any) -> None:
        """Remember ``value``, and its owner with it, so that no other takes its place."""
        self._held[id(owner), name] = (owner, value)
        self._bytes += value.nbytes
        while self._bytes > self._room and len(self._held) > 1:
            _, (_, old) = self._held.popitem(last=False)
            self._bytes -= old.nbytes


class Columns(Mapping[str, Column]):
    """Columns by name. ``of`` is some rows of one, without the others where that is cheaper."""

    kept: Kept

    @abstractmethod
    def names(self) -> Sequence[str]:
        """The names of the columns."""

    @abstractmethod
    def take(self, name: str) -> Column:
        """A column, taken anew."""

    def of(self, name: str, rows: Any) -> Column:
        """Some rows of a column."""
        return _some(self[name], rows)

    def __getitem__(self, name: str) -> Column:
        found: Column | None = self.kept.get(self, name)
        if found is None:
            found = self.take(name)
            self.kept.put(self, name, found)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())


class Chosen(Columns[Column]):
    """Columns of some of the rows of others."""

    def __init__(self, columns: Mapping[str, Column], rows: Any) -> None:
        self.kept = columns.kept if isinstance(columns, Columns) else Kept()
        self._columns = columns
        self._rows = rows

    def names(self) -> Sequence[str]:
        return [*self._columns]

    def take(self, name: str) -> Column:
        if isinstance(self._columns, Columns):
            found: Column = self._columns.of(name, self._rows)
            return found
        return _some(self._columns[name], self._rows)


def _some(column: Column, rows: Any) -> Column:
    found: Column = column[rows]  # type: ignore[index]
    return found


class Joined(Columns[Column]):
    """The columns of several pieces, one after the other; ``own`` has columns that are there already."""

    def __init__(self, pieces: Sequence[Mapping[str, Column]], own: Mapping[str, Column] | None = None) -> None:
        self.kept = next((piece.kept for piece in pieces if isinstance(piece, Columns)), None) or Kept()
        self._pieces = pieces
        self._own = own or {}

    def names(self) -> Sequence[str]:
        return [*self._pieces[0], *self._own]

    def take(self, name: str) -> Column:
        if name in self._own:
            return self._own[name]
        found: Column = _one_after_the_other([piece[name] for piece in self._pieces])
        return found


def _one_after_the_other(pieces: list[Any]) -> Any:
    if isinstance(pieces[0], Words):
        return Words(np.concatenate([piece.codes for piece in pieces]), pieces[0].names)
    return np.concatenate(pieces)

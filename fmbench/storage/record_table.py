"""Stored records as the table that figures are of, without reading more of them at once than a cell's column.

Parts are read a row group and a column at a time, when a figure asks for them; or before, by a thread, where all of them fit.
Only a place for each row is held for the whole run: four bytes a record.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fmbench.core.columns import ROOM, Columns, Kept, Words
from fmbench.core.quantiles import Floats
from fmbench.core.table import NUMBERS, WORDS, Rows, Table, finite, moment
from fmbench.storage.pieces import Pieces
from fmbench.storage.table import TEXT, reading

MOST_OPEN = 200
"""Files that are open at a time in a thread."""
ROOM_A_ROW = 20
MOST_ROOM = 200 << 20
"""Bytes of columns that are remembered besides ``ROOM``: for each record of the run, and at most."""
PIECES_A_ROW = 116
MOST_PIECES = 384 << 20
"""Bytes of pieces of columns, as they were read, that are remembered besides ``ROOM``: for each record of the run, so that
nothing need be read twice, and at most."""
SMALL = 2**31
MOMENTS = ("sent_at", "intended_at", "ended_at")

Codes = NDArray[np.signedinteger[Any]]
Places = NDArray[np.int32] | NDArray[np.int64]


def record_table(folder: Path) -> Table:
    """The records of all parts in ``folder``, by cell and time: the same rows as ``core.table.read`` gives, read on demand.

    A column that a part of an earlier version does not have is null there.
    """
    parts = _Parts(folder)
    pieces = Kept(ROOM + min(PIECES_A_ROW * parts.rows, MOST_PIECES))
    numbers = Pieces(partial(_number_piece, parts), pieces)
    if parts.fit:
        groups = range(len(parts.groups))
        numbers.read_ahead((group, name) for group in groups for name in NUMBERS if not parts.empty(group, name))
    places, slices = _ordered(parts, numbers)
    kept = Kept(ROOM + min(ROOM_A_ROW * parts.rows, MOST_ROOM))
    order = _Order(parts, places, pieces)
    return Table(Rows(_Numbers(parts, order, kept, numbers), _Texts(parts, order, kept, pieces)), slices)


@dataclass(frozen=True, slots=True)
class _Group:
    """A row group: of which file, which of it, where its rows begin among all, and how many they are."""

    path: Path
    index: int
    start: int
    rows: int


class _Open(local):
    """The files that a thread has open: no other may read them."""

    def __init__(self) -> None:
        self.files: OrderedDict[Path, pq.ParquetFile] = OrderedDict()


class _Parts:
    """The row groups of all parts, in the order of the parts' names."""

    def __init__(self, folder: Path) -> None:
        self._open = _Open()
        self._footers: dict[Path, pq.FileMetaData] = {}
        self._names: dict[Path, frozenset[str]] = {}
        self._places: dict[Path, dict[str, int]] = {}
        self.groups: list[_Group] = []
        start = 0
        for path in sorted(folder.glob("*.parquet")):
            data = self._footers[path] = pq.read_metadata(path)
            self._names[path] = frozenset(data.schema.to_arrow_schema().names)
            self._places[path] = {data.schema.column(place).path: place for place in range(data.num_columns)}
            for index in range(data.num_row_groups):
                rows = data.row_group(index).num_rows
                self.groups.append(_Group(path, index, start, rows))
                start += rows
        self.rows = start
        self.fit = PIECES_A_ROW * start <= MOST_PIECES
        """Whether there is room for all columns of all rows."""
        self._starts = np.array([group.start for group in self.groups], dtype=np.int64)

    def empty(self, group: int, name: str) -> bool:
        """Whether a column of a row group is known to hold nothing, without reading it: its file does not have it, or its footer
        counts as many nulls as rows."""
        one = self.groups[group]
        if name not in self._names[one.path]:
            return True
        place = self._places[one.path].get(name)
        found = None if place is None else self._footers[one.path].row_group(one.index).column(place).statistics
        return found is not None and found.has_null_count and found.null_count == one.rows > 0

    def column(self, group: int, name: str) -> pa.Array | None:
        """One column of a row group; None where it is empty."""
        if self.empty(group, name):
            return None
        one = self.groups[group]
        with reading(one.path):
            read = self._file(one.path).read_row_group(one.index, columns=[name], use_threads=False).column(0)
        return read.combine_chunks() if read.num_chunks != 1 else read.chunk(0)

    def of(self, places: Places) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The row groups that hold the rows at ``places``, and which of these each row is in."""
        which = np.searchsorted(self._starts, places, side="right") - 1
        hit = np.bincount(which, minlength=len(self.groups)) > 0
        return np.flatnonzero(hit), (np.cumsum(hit) - 1)[which]

    def _file(self, path: Path) -> pq.ParquetFile:
        files = self._open.files
        found = files.pop(path, None)
        if found is None:
            texts = [name for name in self._names[path] if name in TEXT]
            found = pq.ParquetFile(path, metadata=self._footers[path], read_dictionary=texts)
        files[path] = found
        while len(files) > MOST_OPEN:
            files.popitem(last=False)[1].close()
        return found


def _ordered(parts: _Parts, numbers: Pieces) -> tuple[Places, dict[int, slice]]:
    """The place of each row among the stored ones, by cell and then by moment; and the slice of each cell."""
    cells = np.empty(parts.rows, dtype=np.int32)
    moments = np.empty(parts.rows)
    for index, group in enumerate(parts.groups):
        rows = slice(group.start, group.start + group.rows)
        cells[rows] = np.nan_to_num(_read(parts, index, "cell"), nan=-1)
        moments[rows] = moment({name: numbers.get(index, name, keep=parts.fit) for name in MOMENTS})
    order: Places = np.argsort(cells, kind="stable")
    if parts.rows < 2**31:
        order = order.astype(np.int32)
    found, starts = np.unique(cells[order], return_index=True)
    slices = {}
    ends = np.append(starts, parts.rows)[1:]
    for cell, start, end in zip(found.tolist(), starts.tolist(), ends.tolist(), strict=True):
        place = slice(start, end)
        order[place] = order[place][np.argsort(moments[order[place]], kind="stable")]
        if cell >= 0:
            slices[cell] = place
    return order, slices


def _read(parts: _Parts, group: int, name: str) -> NDArray[Any]:
    """A row group's numbers; floats with NaN for null where there is any, and for what is no number."""
    piece = parts.column(group, name)
    if piece is None:
        return np.broadcast_to(np.float64(np.nan), parts.groups[group].rows)
    return finite(np.asarray(piece.to_numpy(zero_copy_only=False)))


def _number_piece(parts: _Parts, group: int, name: str) -> NDArray[Any]:
    """A row group's numbers: whole ones that are all known in half the bytes, one that they all are in none."""
    found = _read(parts, group, name)
    if not len(found) or not np.issubdtype(found.dtype, np.integer):
        return np.asarray(found, dtype=np.float64) if found.strides != (0,) else found
    least, most = int(found.min()), int(found.max())
    if least == most:
        return np.broadcast_to(found[0], len(found))
    return found.astype(np.int32) if least > -SMALL and most < SMALL else found.astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Within:
    """The row groups that hold some rows, and the place of each row when these groups follow one another."""

    groups: NDArray[np.int64]
    places: Places

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return int(self.groups.nbytes + self.places.nbytes)


@dataclass
class _Order:
    """The rows by cell and time: ``places`` are theirs among the stored ones."""

    parts: _Parts
    places: Places
    kept: Kept

    def within(self, rows: slice) -> _Within:
        """Where ``rows`` are."""
        key = (rows.start, rows.stop, rows.step)
        found: _Within | None = self.kept.get(self, key)
        if found is None:
            places = self.places[rows]
            groups, which = self.parts.of(places)
            here = [self.parts.groups[int(group)] for group in groups]
            begins = np.cumsum([0, *(group.rows for group in here)])[:-1]
            moved = begins - np.array([group.start for group in here], dtype=np.int64)
            found = _Within(groups, (places + moved[which]).astype(places.dtype))
            self.kept.put(self, key, found)
        return found


class _Stored(Columns[Any]):
    """Columns of all rows, by cell and time. A cell's rows are read from the row groups that hold them."""

    def __init__(self, parts: _Parts, order: _Order, kept: Kept, pieces: Pieces) -> None:
        self.kept = kept
        self._pieces = pieces
        self._parts = parts
        self._order = order

    def of(self, name: str, rows: Any) -> Any:
        """Some rows of a column."""
        if name not in self.names():
            raise KeyError(name)
        if not isinstance(rows, slice):
            return self[name][rows]
        here = self._order.within(rows)
        return self._finished(name, np.concatenate([self._pieces.get(int(group), name) for group in here.groups])[here.places])

    def take(self, name: str) -> Any:
        if name not in self.names():
            raise KeyError(name)
        pieces = [self._pieces.get(group, name, keep=self._parts.fit) for group in range(len(self._parts.groups))]
        return self._finished(name, np.concatenate([self._none(), *pieces])[self._order.places])

    def _none(self) -> Any:
        raise NotImplementedError

    def _finished(self, name: str, values: Any) -> Any:
        raise NotImplementedError


class _Numbers(_Stored):
    """The numeric columns."""

    def names(self) -> Sequence[str]:
        return NUMBERS

    def _none(self) -> NDArray[np.int32]:
        return np.empty(0, dtype=np.int32)

    def _finished(self, name: str, values: NDArray[Any]) -> Floats:
        return values.astype(np.float64, copy=False)


class _Texts(_Stored):
    """The columns of words: numbered as they are met, and in the order of the alphabet once all are known."""

    def __init__(self, parts: _Parts, order: _Order, kept: Kept, pieces: Kept) -> None:
        super().__init__(parts, order, kept, Pieces(self._piece, pieces))
        self._met: dict[str, dict[str, int]] = {}
        self._known: dict[str, tuple[NDArray[np.int32], tuple[str, ...]]] = {}

    def names(self) -> Sequence[str]:
        return WORDS

    def _piece(self, group: int, name: str) -> Codes:
        """Each row's word by the number that it got when it was first met, in as few bytes as that takes; -1 for null."""
        piece = self._parts.column(group, name)
        if piece is None or pa.types.is_null(piece.type):
            return np.broadcast_to(np.int8(-1), self._parts.groups[group].rows)
        coded = piece if isinstance(piece, pa.DictionaryArray) else piece.dictionary_encode()
        met = self._met.setdefault(name, {})
        own = [met.setdefault(word, len(met)) for word in coded.dictionary.to_pylist()]
        places = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.asarray(np.array([*own, -1], dtype=np.min_scalar_type(-1 - max(own, default=0)))[places])

    def _none(self) -> NDArray[np.int8]:
        return np.empty(0, dtype=np.int8)

    def _finished(self, name: str, values: Codes) -> Words:
        ranks, names = self._ranks(name)
        return Words(ranks[values], names)

    def _ranks(self, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        found = self._known.get(name)
        if found is None:
            for group in range(len(self._parts.groups)):
                self._pieces.get(group, name)
            met = self._met.get(name, {})
            words = tuple(sorted(met))
            ranks = {word: rank for rank, word in enumerate(words)}
            found = self._known[name] = (np.array([*(ranks[word] for word in met), -1], dtype=np.int32), words)
        return found

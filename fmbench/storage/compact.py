"""Many records in little memory: some columns of all parts, read in batches into arrays that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fmbench.storage.table import SCHEMA

WORDS = [field.name for field in SCHEMA if field.type == pa.string()]
ROWS_AT_A_TIME = 1 << 17


def read_compact(folder: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of all parts in ``folder``, in the order of the parts' names.

    Text comes as categories in the order of the alphabet, numbers as float64 with NaN for null, or as int64 where none is null. A
    column that a part of an earlier version does not have is null there.
    """
    parts = [_opened(path) for path in sorted(folder.glob("*.parquet"))]
    rows = sum(part.metadata.num_rows for part in parts)
    found = {name: _Words(rows) if name in WORDS else _Numbers(rows, SCHEMA.field(name).type) for name in columns}
    start = 0
    for part in parts:
        there = [name for name in columns if name in part.schema_arrow.names]
        for batch in part.iter_batches(ROWS_AT_A_TIME, columns=there):
            for name in there:
                found[name].put(start, batch.column(name))
            start += batch.num_rows
    return pd.DataFrame({name: found.pop(name).column() for name in columns}, copy=False)


def _opened(path: Path) -> pq.ParquetFile:
    names = pq.read_schema(path).names
    return pq.ParquetFile(path, read_dictionary=[name for name in WORDS if name in names])


class _Numbers:
    """A column of numbers, filled piece by piece."""

    def __init__(self, rows: int, kind: pa.DataType) -> None:
        self._values = np.full(rows, np.nan)
        self._whole = pa.types.is_integer(kind)

    def put(self, start: int, piece: pa.Array) -> None:
        self._values[start : start + len(piece)] = piece.to_numpy(zero_copy_only=False)

    def column(self) -> np.ndarray:
        whole = self._whole and not np.isnan(self._values).any()
        return self._values.astype(np.int64) if whole else self._values


class _Words:
    """A column of few distinct words, filled piece by piece."""

    def __init__(self, rows: int) -> None:
        self._codes = np.full(rows, -1, dtype=np.int32)
        self._names: dict[str, int] = {}

    def put(self, start: int, piece: pa.DictionaryArray) -> None:
        own = [self._names.setdefault(name, len(self._names)) for name in piece.dictionary.to_pylist()]
        places = piece.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        self._codes[start : start + len(piece)] = np.array([*own, -1], dtype=np.int32)[places]

    def column(self) -> pd.Categorical:
        names = sorted(self._names)
        ranks = {name: rank for rank, name in enumerate(names)}
        order = np.array([*(ranks[name] for name in self._names), -1], dtype=np.int32)
        return pd.Categorical.from_codes(order[self._codes], categories=pd.Index(names, dtype="str"))

"""When each piece of each answer arrived: the one column of the records that is too long to be read for every request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fmbench.storage.table import TEXT, reading

STAMPS = "content_s"


class StampedPart:
    """One Parquet part of the records: ``rows`` has the asked columns, null where a part of an earlier version does not have one;
    ``known`` says which rows have stamps."""

    def __init__(self, part: Path, columns: list[str]) -> None:
        texts = [name for name in columns if name in TEXT]
        with reading(part):
            there = pq.read_schema(part).names
            found = [name for name in (*columns, STAMPS) if name in there]
            table = pq.read_table(part, columns=found, read_dictionary=texts, use_threads=False)
        self.rows: pd.DataFrame = table.select([name for name in columns if name in there]).to_pandas().reindex(columns=columns)
        self._stamps = table[STAMPS] if STAMPS in there else pa.chunked_array([pa.nulls(len(table), pa.list_(pa.float32()))])
        self.known: NDArray[np.bool_] = np.asarray(self._stamps.is_valid())

    def stamps_of(self, places: NDArray[np.intp]) -> list[list[float]]:
        """Seconds after ``sent_at`` of each content event, for the rows at ``places``."""
        stamps: list[list[float]] = self._stamps.take(places).to_pylist()
        return stamps

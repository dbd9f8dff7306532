"""``scores/*.parquet``: what each answer that was kept is worth; a file for each of ``answers/``, a row an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fmbench.storage.atomic import commit, part_path

IDENTITY = ("worker", "user", "seq")
SCHEMA = pa.schema(
    [
        ("worker", pa.string()),
        ("user", pa.int64()),
        ("seq", pa.int64()),
        ("prompt_id", pa.string()),
        ("metric", pa.string()),
        ("quality", pa.float64()),
    ]
)
"""``quality`` is from 0 to 1, and null for a prompt without a known answer."""

ANSWERS_AT_A_TIME = 20_000


def answers_in(path: Path) -> Iterator[list[dict[str, Any]]]:
    """The lines of a file of ``answers/``, some at a time; one that was cut off is left out."""
    rows: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for line in file:
            try:
                rows.append(orjson.loads(line))
            except ValueError:
                continue
            if len(rows) == ANSWERS_AT_A_TIME:
                yield rows
                rows = []
    if rows:
        yield rows


def write_scores(path: Path, batches: Iterable[Sequence[dict[str, Any]]]) -> None:
    """Write the rows of all ``batches`` to ``path``, whole or not at all. Raises what ``batches`` raise, and ``OSError``."""
    path.parent.mkdir(exist_ok=True)
    part = part_path(path)
    try:
        with pq.ParquetWriter(part, SCHEMA, compression="zstd") as writer:
            for rows in batches:
                writer.write_table(pa.Table.from_pylist([*rows], schema=SCHEMA))
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    commit(part, path)


def read_scores(folder: Path) -> pd.DataFrame:
    """All scores below ``folder``, without ``prompt_id``; the records have that."""
    columns = [*IDENTITY, "metric", "quality"]
    return pd.read_parquet(folder, columns=columns).drop_duplicates([*IDENTITY])

"""Records as Parquet: one schema, drawn from ``core.records.Record``, so that a part without rows has the same columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from fmbench.core.failures import UnusableInput
from fmbench.core.neutral import neutral
from fmbench.core.records import COLUMNS, SCHEMA_VERSION, Record
from fmbench.storage.atomic import commit, part_path

if "jemalloc" in pa.supported_memory_backends():  # it gives back what columns leave free, as Arrow's own does not
    pa.set_memory_pool(pa.jemalloc_memory_pool())


def _arrow_type(hint: Any) -> pa.DataType:
    text = str(hint)
    if "list[float]" in text:
        return pa.list_(pa.float32())
    if "float" in text:
        return pa.float64()
    return pa.int64() if "int" in text else pa.string()


_HINTS = get_type_hints(Record)
SCHEMA = pa.schema(
    [pa.field(name, _arrow_type(_HINTS[name])) for name in COLUMNS],
    metadata={"fmbench.schema_version": SCHEMA_VERSION},
)
"""Text as string, counts as int64, seconds as float64; every column may be null. ``content_s`` is a list of float32."""
TEXT = frozenset(field.name for field in SCHEMA if field.type == pa.string())
"""The columns of text."""
NEEDED = ("worker", "user", "seq", "cell", "outcome")
"""The columns without which a row says of no request what became of it."""

MOST_PACKED, ROOM_BYTES = 200, 64 << 20
"""A part of records, unpacked, has at most so many times its size and so much room: beyond it is no part of a run."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Within it a stored file, or a folder of some, is read. Raises ``UnusableInput`` for bytes that are no such file."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        said = neutral(str(error), 200)
        raise UnusableInput(f"{path.parent.name}/{path.name}: cannot be read ({said}); restore it from a copy.") from None


def check_parts(folder: Path) -> None:
    """Raises ``UnusableInput`` for a part in ``folder`` that holds no records: columns are missing or of other types, or it would
    be far more than any run writes."""
    for path in sorted(folder.glob("*.parquet")):
        with reading(path):
            about, size = pq.read_metadata(path), path.stat().st_size
            found = about.schema.to_arrow_schema()
        _check_size(path, about, size)
        wrong = [name for name in NEEDED if name not in found.names]
        here = [field for field in SCHEMA if field.name in found.names]
        wrong += [field.name for field in here if not _alike(found.field(field.name).type, field.type)]
        if wrong:
            what = f"holds no records ({', '.join(wrong[:5])}: missing, or of another type)"
            raise UnusableInput(f"{folder.name}/{path.name}: {what}; take it away, or restore it from a copy.")


def _check_size(path: Path, about: pq.FileMetaData, size: int) -> None:
    """The stamps of a record alone take more than a byte, however they are packed."""
    bytes_read = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
    if about.num_rows > size or bytes_read > MOST_PACKED * size + ROOM_BYTES:
        rows = f"{about.num_rows:,} row{'' if about.num_rows == 1 else 's'}"
        what = f"has {size:,} bytes, and says that {rows} of {bytes_read:,} bytes are in them, as no run writes them"
        raise UnusableInput(f"{path.parent.name}/{path.name}: {what}; take it away, or restore it from a copy.")


def _alike(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a column of one type can be read as one of the other."""
    kind = found.value_type if pa.types.is_dictionary(found) else found
    if pa.types.is_null(kind) or kind == wanted:
        return True
    if wanted == pa.string():
        return bool(pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
    if pa.types.is_list(wanted):
        return bool(pa.types.is_list(kind) and pa.types.is_floating(kind.value_type))
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def write_part(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write ``rows`` to the Parquet file ``path``, whole or not at all, and read back how many it holds.

    Raises ``OSError`` when the file does not say that it has them all.
    """
    columns = [pa.array([row.get(field.name) for row in rows], type=field.type) for field in SCHEMA]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    pq.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), part, compression="zstd")
    if pq.read_metadata(part).num_rows != len(rows):
        raise OSError(f"{path}: holds fewer rows than were written")
    commit(part, path)


def count_outcomes(folder: Path) -> dict[str, dict[str, int]]:
    """Rows by worker and outcome over all the parts in ``folder``."""
    counts: dict[str, dict[str, int]] = {}
    for path in sorted(folder.glob("*.parquet")):
        with reading(path):
            table = pq.read_table(path, columns=["worker", "outcome"])
        for row in table.group_by(["worker", "outcome"]).aggregate([([], "count_all")]).to_pylist():
            outcomes = counts.setdefault(row["worker"], {})
            outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + row["count_all"]
    return counts

"""Rows kept by ``datasets``: typed by explicit features, on disk in the scratch folder, read by index."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from fmbench.core.failures import FmbenchError, UnusableInput
from fmbench.prompts.reading.rows import Row

if TYPE_CHECKING:
    from datasets import Dataset


def library() -> Any:
    """The ``datasets`` package: imported on first use, without progress bars, telemetry or download counts."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_UPDATE_DOWNLOAD_COUNTS", "0")
    import datasets

    datasets.disable_progress_bars()
    return datasets


def store(rows: Iterator[Row], scratch: Path) -> Sequence[Row]:
    """Write rows to an Arrow file under ``scratch`` and give them back by index. What ``rows`` raises comes through."""
    first = next(rows, None)
    if first is None:
        return ()
    datasets = library()
    text, texts = datasets.Value("string"), datasets.List(datasets.Value("string"))
    # Inferred features would differ from file to file: all_classes is null in one and a list in the next.
    features = datasets.Features(
        task=text,
        language=text,
        input=text,
        context=text,
        answers=texts,
        all_classes=texts,
        row_id=text,
        where=text,
        columns=text,
    )
    try:
        kept = datasets.Dataset.from_generator(
            lambda: map(_flat, chain([first], rows)),
            features=features,
            cache_dir=str(scratch / "arrow"),
            fingerprint="rows",
            writer_batch_size=200,
        )
    except datasets.exceptions.DatasetGenerationError as error:
        cause = error.__cause__
        raise (cause if isinstance(cause, FmbenchError) else UnusableInput(f"dataset: rows cannot be kept: {cause}")) from error
    return TableRows(kept, lambda record, index: Row(**{**record, "columns": json.loads(record["columns"])}))


def _flat(row: Row) -> dict[str, Any]:
    return {**asdict(row), "columns": json.dumps(dict(row.columns))}


class TableRows(Sequence[Row]):
    """A ``datasets.Dataset`` as rows; ``to_row`` makes one from a record and its index."""

    def __init__(self, table: Dataset, to_row: Callable[[dict[str, Any], int], Row]) -> None:
        self._table = table
        self._to_row = to_row

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return self._to_row(self._table[index], index)

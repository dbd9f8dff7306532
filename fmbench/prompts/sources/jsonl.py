"""Rows from JSON lines: LongBench's shape, plain ``text`` or ``prompt`` lines, or any columns under ``dataset.columns``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fmbench.config.schema import Dataset
from fmbench.core.failures import UnusableInput
from fmbench.prompts.sources.base import Loaded, Row, Workshop
from fmbench.prompts.sources.files import LinesFile, find, records
from fmbench.prompts.sources.mapping import Mapper
from fmbench.prompts.sources.table import store


def load(dataset: Dataset, workshop: Workshop) -> Loaded:
    """The rows at ``dataset.path``. A row without a task is of its file's; one without a language, of the first asked."""
    if dataset.path is None:
        raise UnusableInput("dataset.path: is needed for source: jsonl; give a file, a folder of *.jsonl or an s3:// address")
    files, digest = find(dataset.path, workshop.scratch)
    return load_files(files, digest, dataset, workshop)


def load_files(files: Sequence[LinesFile], digest: str, dataset: Dataset, workshop: Workshop) -> Loaded:
    """The rows of ``files``, kept on disk, and where they came from. Raises ``UnusableInput`` with file and line."""
    counts: Counter[str] = Counter()
    rows = store(_rows(files, dataset, workshop, counts), workshop.scratch)
    origin: dict[str, Any] = {
        "name": dataset.name or dataset.source,
        "revision": dataset.revision,
        "sha256": digest,
        "rows": len(rows),
        "files": [{"name": file.name, "bytes": file.size, "rows": counts[file.name]} for file in files],
    }
    return Loaded(rows, origin)


def _rows(files: Sequence[LinesFile], dataset: Dataset, workshop: Workshop, counts: Counter[str]) -> Iterator[Row]:
    """The rows, in the files' order; ``counts`` learns how many there are in each."""
    mapper = Mapper(dataset.columns, dataset.languages[0])
    total, before = sum(file.size for file in files), 0
    for file in files:
        for record, number, done in records(file):
            where = f"{file.name} line {number}"
            mapper.check(record, where)
            counts[file.name] += 1
            yield mapper.row(record, file.task, where)
            workshop.progress("reading rows (bytes)", before + done, total)
        before += file.size

"""Rows from JSON lines: LongBench's shape, plain ``text`` or ``prompt`` lines, or any columns under ``dataset.columns``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fmbench.config.schema import Dataset
from fmbench.core.failures import UnusableInput
from fmbench.prompts.reading.files import LinesFile, find, records
from fmbench.prompts.reading.mapping import Mapper
from fmbench.prompts.reading.rows import Loaded, Row, Source, SourceTools
from fmbench.prompts.reading.table import store


def load(dataset: Dataset, tools: SourceTools) -> Loaded:
    """The rows at ``dataset.path``. A row without a task is of its file's; one without a language, of the first asked."""
    if dataset.path is None:
        raise UnusableInput(
            "dataset.path: is needed for source: jsonl; give a file, a folder of *.jsonl, or an address in a store"
        )
    files, digest = find(dataset.path, tools.scratch)
    return load_files(files, digest, dataset, tools)


def load_files(files: Sequence[LinesFile], digest: str, dataset: Dataset, tools: SourceTools) -> Loaded:
    """The rows of ``files``, kept on disk, and where they came from. Raises ``UnusableInput`` with file and line."""
    counts: Counter[str] = Counter()
    mapper = Mapper(dataset.columns, dataset.languages[0], tools.placed)
    rows = store(_rows(files, mapper, tools, counts), tools.scratch)
    origin: dict[str, Any] = {
        "name": dataset.name or dataset.source,
        "revision": dataset.revision,
        "sha256": digest,
        "rows": len(rows),
        "files": [{"name": file.name, "bytes": file.size, "rows": counts[file.name]} for file in files],
    }
    return Loaded(rows, origin, mapper.warnings(dataset.path or dataset.source))


def _rows(files: Sequence[LinesFile], mapper: Mapper, tools: SourceTools, counts: Counter[str]) -> Iterator[Row]:
    """The rows, in the files' order; ``counts`` learns how many there are in each."""
    total, before = sum(file.size for file in files), 0
    for file in files:
        for record, number, done in records(file):
            where = f"{file.name} line {number}"
            mapper.check(record, file.task, where)
            counts[file.name] += 1
            yield mapper.row(record, file.task, where)
            tools.progress("reading rows (bytes)", before + done, total)
        before += file.size


SOURCE = Source(load=load, needs=("path",))

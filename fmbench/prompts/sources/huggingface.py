"""Rows of any dataset that ``datasets.load_dataset`` reads: the hub's, or a local folder, Parquet, JSON or CSV file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from fmbench.config.schema import Dataset
from fmbench.core.failures import UnusableInput
from fmbench.prompts.reading import hub, remote
from fmbench.prompts.reading.columns import LOOKED_AT
from fmbench.prompts.reading.files import sha256
from fmbench.prompts.reading.mapping import Mapper
from fmbench.prompts.reading.rows import Loaded, Row, Source, SourceTools
from fmbench.prompts.reading.table import TableRows, library
from fmbench.storage.store import is_remote

if TYPE_CHECKING:
    import datasets

_BUILDERS = {".parquet": "parquet", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv", ".arrow": "arrow"}
_BUILDERS |= {".tsv": "csv"}
_PACKED = (".gz", ".zst", ".xz", ".bz2")
_EMPTY = re.compile("corresponds to no data|BatchSize must be greater|No columns to parse")
"""What the library says of a file that has no row."""
_SPLITS = ("test", "validation", "train")


def load(dataset: Dataset, tools: SourceTools) -> Loaded:
    """The rows of ``dataset.repo`` (with ``subset``, ``split``, ``revision``) or of ``dataset.path``.

    Without a split: test, else validation, else train, else the only one. Raises ``UnusableInput`` when they cannot be had.
    """
    return _load(dataset, tools, lambda place, revision: [dataset.subset])


def load_configurations(dataset: Dataset, tools: SourceTools) -> Loaded:
    """The rows of a mirror that keeps each LongBench task as a configuration of its name: the asked tasks, or all."""
    return _load(dataset, tools, lambda place, revision: dataset.tasks or _configurations(place, revision))


def _load(dataset: Dataset, tools: SourceTools, subsets_of: Callable[[str, str | None], Sequence[str | None]]) -> Loaded:
    place, revision = _place(dataset, tools)
    subsets = subsets_of(place, revision)
    parts, splits, warnings = [], set(), list[str]()
    for done, subset in enumerate(subsets):
        tools.progress(f"loading {dataset.repo or dataset.path}", done, len(subsets))
        table, split = _table(place, subset, dataset.split, revision, tools)
        rows, said = _rows(table, subset or Path(place).stem, dataset, tools)
        parts.append(rows)
        warnings += said
        splits.add(split)
    rows = parts[0] if len(parts) == 1 else ChainedRows(parts)
    origin = {
        "name": dataset.name or dataset.source,
        "repo": dataset.repo,
        "revision": revision or dataset.revision,
        "sha256": sha256(Path(place)) if Path(place).is_file() else None,
        "rows": len(rows),
        "subsets": [subset for subset in subsets if subset is not None],
        "splits": sorted(splits),
    }
    return Loaded(rows, origin, [*_pinning(dataset, revision), *warnings])


def _pinning(dataset: Dataset, revision: str | None) -> list[str]:
    if revision is None or dataset.revision is not None:
        return []
    return [f"dataset.revision is not set: {dataset.repo} was read at {revision}; set it to that to get the same rows again"]


class ChainedRows(Sequence[Row]):
    """Several sequences of rows as one."""

    def __init__(self, parts: Sequence[Sequence[Row]]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        for part in self._parts:
            if index < len(part):
                return part[index]
            index -= len(part)
        raise IndexError(index)


def _place(dataset: Dataset, tools: SourceTools) -> tuple[str, str | None]:
    """What to hand to ``load_dataset``, and the commit where it is the hub's."""
    if dataset.path is not None:
        if is_remote(dataset.path):
            return str(remote.download(dataset.path, tools.scratch / "fetched", tuple(_BUILDERS))), None
        path = Path(dataset.path).expanduser()
        if not path.exists():
            raise UnusableInput(
                f"dataset.path: {dataset.path} does not exist: give a folder or a file, or leave it out for dataset.repo"
            )
        return str(path), None
    if dataset.repo is None:
        raise UnusableInput("dataset.repo: is needed for source: huggingface (or dataset.path for data that is here already)")
    if hub.offline():
        folder = hub.cached_folder(dataset.repo, dataset.revision)
        return str(folder), folder.name
    return dataset.repo, hub.commit_of(dataset.repo, dataset.revision)


def _table(
    place: str, subset: str | None, split: str | None, revision: str | None, tools: SourceTools
) -> tuple[datasets.Dataset, str]:
    library_ = library()
    arguments: dict[str, Any] = {"cache_dir": str(tools.scratch / "datasets"), "split": split}
    path = Path(place)
    if path.is_file():
        arguments |= {"path": _builder(path), "data_files": str(path), "split": split or "train"}
        arguments |= {"sep": "\t"} if path.suffix == ".tsv" else {}
    elif path.is_dir():
        arguments |= {"path": place, "name": subset}
    else:
        arguments |= {"path": place, "name": subset, "revision": revision}
    try:
        loaded = library_.load_dataset(**arguments)
    except Exception as error:  # the library raises its own, pyarrow's, the hub client's, ValueError and OSError
        raise _unloadable(place, error) from error
    return _one_split(loaded, place) if split is None and not path.is_file() else (loaded, arguments["split"])


def _one_split(loaded: datasets.DatasetDict, place: str) -> tuple[datasets.Dataset, str]:
    names = list(loaded)
    chosen = next((name for name in _SPLITS if name in names), names[0] if len(names) == 1 else None)
    if chosen is None:
        raise UnusableInput(f"dataset.split: {place} has the splits {', '.join(names)}: say which one")
    return loaded[chosen], chosen


def _builder(path: Path) -> str:
    if path.suffix not in _BUILDERS:
        cure = "unpack it first" if path.suffix in _PACKED else "convert it, or write a line of JSON for each row (source: jsonl)"
        raise UnusableInput(f"dataset.path: {path}: the ending {path.suffix!r} is none of {', '.join(_BUILDERS)}: {cure}")
    return _BUILDERS[path.suffix]


def _unloadable(place: str, error: Exception) -> UnusableInput:
    reason = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
    file = Path(place).is_file()
    if file and (Path(place).stat().st_size == 0 or _EMPTY.search(reason[0])):
        return UnusableInput(f"dataset: {place} holds no row at all: check dataset.path")
    cure = "check dataset.repo or dataset.path, subset, split and revision"
    if "codec can't decode" in reason[0]:
        cure = "save the file as UTF-8"
    if hub.offline() and not file:
        cure += "; HF_HUB_OFFLINE is set: the cache may hold a part only, and hf download --repo-type dataset fetches all"
    return UnusableInput(f"dataset: {place} cannot be loaded ({type(error).__name__}: {reason[0]}): {cure}")


def _configurations(place: str, revision: str | None) -> list[str]:
    try:
        return list(library().get_dataset_config_names(place, revision=None if Path(place).is_dir() else revision))
    except Exception as error:
        raise _unloadable(place, error) from error


def _rows(table: datasets.Dataset, task: str, dataset: Dataset, tools: SourceTools) -> tuple[Sequence[Row], list[str]]:
    """The rows of a table, and what there is to say of its columns."""
    mapper = Mapper(dataset.columns, dataset.languages[0], tools.placed)
    name = f"{dataset.repo or dataset.path} {task}"
    mapper.check(table[0] if len(table) else dict.fromkeys(table.column_names), task, name)
    rows = TableRows(table, lambda record, index: mapper.row(record, task, f"{name} row {index}"))
    for index in range(min(LOOKED_AT, len(table))):
        rows[index]
    return rows, mapper.warnings(name)


SOURCE = Source(load=load, needs=("repo", "path"))

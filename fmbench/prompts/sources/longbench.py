"""LongBench's rows: from a folder of ``<task>.jsonl``, a file, its data.zip, S3, or the hub.

Zhipu AI and Tsinghua's LongBench (github.com/THUDM/LongBench) is not shipped with this program:
its rows are third parties' texts.
"""

from __future__ import annotations

from fmbench.config.schema import Dataset
from fmbench.core.failures import UnusableInput
from fmbench.prompts.reading import hub
from fmbench.prompts.reading.files import find, sha256
from fmbench.prompts.reading.rows import Loaded, Source, SourceTools
from fmbench.prompts.sources.huggingface import load_configurations
from fmbench.prompts.sources.jsonl import load_files

REPOSITORY = "zai-org/LongBench"
REVISION = "5e628be450b7e67fb7ae6e201bd6d8f7056f7672"
ARCHIVE = "data.zip"
ARCHIVE_SHA256 = "cb45b11a4133c6bc1d6a44b0f8e701335ff1e543195db1103472e575857f7f64"
"""Of the archive at ``REVISION``: 34 files, 8,418 rows, of which LongBench's 21 tasks are 4,750."""


def load(dataset: Dataset, tools: SourceTools) -> Loaded:
    """The rows at ``dataset.path``; without one, of the hub's archive, or of the Parquet mirror ``dataset.repo``."""
    if dataset.path is not None:
        files, digest = find(dataset.path, tools.scratch)
        return load_files(files, digest, dataset, tools)
    if dataset.repo not in (None, REPOSITORY):
        return load_configurations(dataset, tools)
    return _from_archive(dataset, tools)


def _from_archive(dataset: Dataset, tools: SourceTools) -> Loaded:
    revision = dataset.revision or REVISION
    tools.progress(f"fetching {REPOSITORY} {ARCHIVE}", 0, None)
    archive = hub.download(REPOSITORY, ARCHIVE, revision)
    if revision == REVISION and sha256(archive.path) != ARCHIVE_SHA256:
        raise UnusableInput(
            f"dataset: {REPOSITORY} {ARCHIVE} at {REVISION} has not the SHA-256 {ARCHIVE_SHA256}: the copy at {archive.path} is "
            "damaged or not LongBench's; remove it and run again"
        )
    files, digest = find(str(archive.path), tools.scratch)
    loaded = load_files(files, digest, dataset, tools)
    loaded.origin.update(repo=REPOSITORY, revision=archive.revision)
    return loaded


SOURCE = Source(load=load)

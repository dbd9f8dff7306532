"""Prompt sources, a file each, under the name that ``dataset.source`` gives it: each declares a ``SOURCE``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File

from fmbench.config.schema import Config
from fmbench.config.together import Checks, Finding
from fmbench.core.registry import entry, names_in
from fmbench.prompts.reading.rows import Source
from fmbench.storage.store import scheme_of


def source_of(name: str) -> Source:
    """The source that is called ``name``. Raises ``KeyError`` for a name that the schema does not let through."""
    source: Source = entry("prompts/sources", name).SOURCE
    return source


def _findings(config: Config) -> Iterator[Finding]:
    """What the configured source needs and does not have: a key, or the data at ``dataset.path``."""
    dataset = config.dataset
    source = source_of(dataset.source)
    if source.needs and not any(getattr(dataset, key) is not None for key in source.needs):
        what = f"is missing: source {dataset.source} needs it"
        cure = "add " + " or ".join(f"dataset.{key}" for key in source.needs)
        yield Finding(("dataset", source.needs[0]), what, cure, (("dataset",),))
    for key in _ignored(config) if "source" not in dataset.model_fields_set else ():
        names = " | ".join(name for name in names_in("prompts/sources") if key not in source_of(name).ignores)
        what = f"is not read: no dataset.source is given, and {dataset.source} makes its own prompts"
        yield Finding(("dataset", key), what, f"add source: {names}, or leave {key} out", (("dataset",),))
    path = None if "path" in source.ignores else dataset.path
    place = None if path is None or scheme_of(path) is not None else File(path).expanduser()
    if place is not None and not place.exists():
        cure = f"there is no {place.absolute()}: put the data there, or give the right path"
        yield Finding(("dataset", "path"), "does not exist", cure, (("dataset",),))
    elif place is not None and not place.is_file() and not place.is_dir():
        cure = "give a file or a folder, which can be read twice"
        yield Finding(("dataset", "path"), "is a device or a pipe", cure, (("dataset",),))


def _warnings(config: Config) -> Iterator[str]:
    for key in _ignored(config):
        yield f"dataset.{key} is not read: source is {config.dataset.source}, which makes its own prompts."


def _ignored(config: Config) -> list[str]:
    """The keys that say where prompts come from, and that the source does not read."""
    given = config.dataset.model_dump(exclude_unset=True, exclude_none=True)
    return [key for key in source_of(config.dataset.source).ignores if given.get(key)]


CHECKS = Checks(_findings, _warnings)
"""What the sources have to say about a configuration, before anything is read."""

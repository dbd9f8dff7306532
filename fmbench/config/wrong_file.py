"""What was meant by a path that is no configuration: the nearest file that is one, or the command that takes what lies there."""

from __future__ import annotations

import difflib
from pathlib import Path

from fmbench.config.addresses import STORE_EXAMPLES
from fmbench.config.shipped import shipped

_SUFFIXES = (".yml", ".yaml")
_DATA = (".jsonl", ".csv", ".tsv", ".parquet", ".zip", ".ndjson")
_RUN_FILES = ("manifest.json", "summary.json", "summary.csv", "report.md", "report.html", "plan.json", "cells.jsonl")
_INIT = "fmbench-load init writes a first one"


def cure_of(address: str) -> str:
    """What to do when the file at ``address`` cannot be read: a missing one, a folder, an address of the web."""
    if "://" in address:
        return f"give the path of a YAML file here, or {STORE_EXAMPLES}; what lies elsewhere has to be fetched first"
    path = Path(address).expanduser()
    if path.is_dir():
        return _of_folder(address, path)
    near = nearest_file(path)
    if near is not None:
        return f'did you mean "{near}"?'
    names = [each.name for each in shipped()]
    name = next(iter(difflib.get_close_matches(path.name.removesuffix(path.suffix), names, n=1, cutoff=0.8)), None)
    if name is not None:
        return f"one of that name is shipped: fmbench-load init {name}.yml --from {name} writes it"
    return f"give the path of a YAML file; {_INIT}"


def nearest_file(path: Path) -> Path | None:
    """The YAML file in the same folder whose name is most like that of ``path``; None: none is like it."""
    try:
        beside = {file.name: file for file in path.parent.iterdir() if file.suffix in _SUFFIXES and file.is_file()}
    except OSError:
        return None
    same = [name for name in sorted(beside) if Path(name).stem == (path.stem if path.suffix in _SUFFIXES else path.name)]
    close = same or difflib.get_close_matches(path.name, list(beside), n=1, cutoff=0.7)
    return beside[close[0]] if close else None


def what_it_is(address: str) -> str | None:
    """What a file that can be read is by its name instead of a configuration, with the cure; None: it may be one."""
    path = Path(address)
    if path.name in _RUN_FILES and (path.parent / "manifest.json").is_file():
        run = path.parent
        return f"is a file of a run; its configuration is {run / 'config.yml'}, and fmbench-load report {run} shows it"
    if path.suffix.lower() in _DATA:
        return f'holds data, not a configuration; name it in one: dataset: {{source: jsonl, path: "{address}"}} ({_INIT})'
    return None


def _of_folder(address: str, path: Path) -> str:
    if (path / "manifest.json").is_file():
        return f"that is a run folder: fmbench-load report {address} shows it, and its configuration is {path / 'config.yml'}"
    files = sorted(file.name for file in path.iterdir() if file.suffix in _SUFFIXES)
    return f"give one of its files: {', '.join(files[:8])}" if files else f"give the path of a YAML file; {_INIT}"

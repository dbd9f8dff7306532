"""Registries that are folders: each module of the folder is an entry, and its file's name, with dashes, is the entry's name.

``base`` and names that begin with an underscore are what entries share, and are none themselves. The folder is read without
importing anything of it, so that a lower floor can know the names of a higher floor's entries.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import fmbench

_SHARED = "base"


@cache
def names_in(folder: str) -> tuple[str, ...]:
    """The names of the entries in ``folder`` (``bedrock/apis``), in alphabetical order."""
    places = [f"{place}/{folder}" for place in fmbench.__path__]
    files = sorted(module.name for module in iter_modules(places))
    return tuple(name.replace("_", "-") for name in files if name != _SHARED and not name.startswith("_"))


def entry(folder: str, name: str) -> ModuleType:
    """The module of the entry ``name``. Raises ``KeyError`` for a name that the folder does not have."""
    if name not in names_in(folder):
        raise KeyError(f"{folder} has no {name}: it has {', '.join(names_in(folder))}")
    return import_module(f"fmbench.{folder.replace('/', '.')}.{name.replace('-', '_')}")

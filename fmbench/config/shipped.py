"""The configurations that come with the program: to run as they are, and to begin one's own from."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fmbench.config.document import read_document
from fmbench.core.failures import UnusableInput

_ID = re.compile(r"""\bid:\s*["']?([^"',}\s]+)""")
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Shipped:
    """One of them. ``about`` is its first line; ``models`` are its models' ids."""

    name: str
    path: Path
    about: str
    models: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")


def folder() -> Path:
    """Where they are: in the package as it is installed, beside it in a clone."""
    packed = _PACKAGE / "configs"
    return packed if packed.is_dir() else _PACKAGE.parent / "configs"


def shipped() -> list[Shipped]:
    """All of them, by name."""
    return [_read(path) for path in sorted(folder().glob("*.yml"))]


@cache
def ids_named() -> tuple[str, ...]:
    """The models' ids in all of them, by their lines alone: that takes no parsing."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder().glob("*.yml"))]
    return tuple(dict.fromkeys(found for text in texts for found in _ID.findall(text)))


def extendable() -> dict[str, Path]:
    """The files that ``extends:`` can name: all of them, and those that are only there to be extended."""
    return {path.stem: path for path in sorted([*folder().glob("*.yml"), *(folder() / "base").glob("*.yml")])}


def shipped_as(name: str) -> Shipped:
    """The one that is called ``name``. Raises ``UnusableInput`` with the nearest when there is none."""
    known = {each.name: each for each in shipped()}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f'did you mean "{close[0]}"? ' if close else ""
        raise UnusableInput(f'there is no configuration "{name}": {hint}there are {", ".join(known)}.')
    return known[name]


def _read(path: Path) -> Shipped:
    text = path.read_text(encoding="utf-8")
    value = read_document(text, path.name).value
    models = value.get("models") or () if isinstance(value, dict) else ()
    ids = tuple(str(model["id"]) for model in models if isinstance(model, dict) and "id" in model)
    return Shipped(path.stem, path, text.partition("\n")[0].lstrip("# ").rstrip(), ids)

"""``extends:``: a configuration that says only what is different from another one, or from several.

Sections are merged key by key; a list or a value stands in the place of the other's, and so does an explicit null.
"""

from __future__ import annotations

from pathlib import Path as File
from typing import Any

from fmbench.config.document import MOST_WRITTEN, Document, read_document
from fmbench.config.faults import Fault, Path, value_text
from fmbench.config.files import LARGEST_FILE, read_some
from fmbench.config.shipped import extendable

KEY = "extends"
DEEPEST = 8
"""More files than that, one beneath another, extend each other in a circle."""
MOST_FILES = 64
"""So many files may one configuration be put together from."""


def extended(document: Document, source: str, depth: int = 0, files: list[File] | None = None) -> Document:
    """``document`` over what it extends; a path is read from where ``source`` lies, a name is that of a shipped configuration.

    What cannot be read is among the document's ``faults``; ``files`` are those that were read already.
    """
    if not isinstance(document.value, dict) or KEY not in document.value:
        return document
    names = document.value.pop(KEY)
    below = Document(document.origin, {})
    files = [] if files is None else files
    for name in (names if isinstance(names, list) else [names])[:MOST_FILES]:
        base = _base(document, name, source, depth, files)
        if base is not None:
            below = _over(base, below)
    return _over(document, below)


def _base(document: Document, name: Any, source: str, depth: int, files: list[File]) -> Document | None:
    """The document that ``name`` stands for, over what it extends itself."""
    file = _file(name, source)
    try:
        if depth >= DEEPEST:
            raise RecursionError("files extend each other in a circle")
        if file is None:
            raise FileNotFoundError(f"there is none of that name: there are {', '.join(extendable())}")
        files.append(file)
        if len(files) > MOST_FILES:
            raise RecursionError(f"more than {MOST_FILES} files are extended")
        base = extended(read_document(_text(file), file.name, most=MOST_WRITTEN), str(file), depth + 1, files)
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        what = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        cure = "give the path of a YAML file, from where this file lies, or the name of a shipped configuration"
        document.faults.append(Fault(document.place((KEY,)), (KEY,), value_text(name), what, cure))
        return None
    if not isinstance(base.value, dict):
        base.value = {}
    return base


def _text(file: File) -> str:
    data = read_some(file)
    if len(data) > LARGEST_FILE:
        raise OSError(f"it is larger than {LARGEST_FILE // 1_000_000} MB")
    return data.decode("utf-8-sig")


def _file(name: Any, source: str) -> File | None:
    text = str(name)
    if not text.endswith((".yml", ".yaml")):
        return extendable().get(text)
    path = File(text).expanduser()
    return path if path.is_absolute() else File(source).expanduser().parent / path


def _over(upper: Document, lower: Document) -> Document:
    """One document's values over another's."""
    merged = Document(upper.origin, faults=lower.faults + upper.faults, left_empty=lower.left_empty | upper.left_empty)
    merged.value = _merged(upper.value, lower.value, (), upper)
    merged.places = {**lower.places, **upper.places}
    return merged


def _merged(upper: Any, lower: Any, path: Path, document: Document) -> Any:
    if isinstance(upper, dict) and isinstance(lower, dict):
        both = {key: _merged(upper[key], lower[key], (*path, key), document) for key in lower if key in upper}
        return {key: both.get(key, value) for key, value in (lower | upper).items()}
    return lower if path in document.left_empty and isinstance(lower, dict) else upper

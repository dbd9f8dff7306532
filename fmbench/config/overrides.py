"""``--set a.b=value``: one value of a configuration put in from the command line, the value read as YAML."""

from __future__ import annotations

import re
from typing import Any

from fmbench.config.document import DEEPEST, Document, is_too_deep, read_document
from fmbench.config.faults import SECRET_KEYS, Fault, Path

_STEP = re.compile(r"""\["([^"]*)"\]|\['([^']*)'\]|\[([^\]]*)\]|"([^"]*)"|'([^']*)'|([^.\[\]"'=]+)""")
_TOO_DEEP = (f"is nested more than {DEEPEST} levels deep", "no key of a configuration is: write it flat")
_SHOWN = 80


def apply_override(document: Document, text: str) -> None:
    """Put ``text`` (``load.duration_s=10``, ``models.0.id=x``, ``pricing["a.b"].input=1``) into ``document``.

    A dotted path follows keys that the document has already where one of them has dots itself. Faults are added to the document.
    """
    place = _short(f"--set {without_secret(text)}")
    steps, value_text = _split(text)
    if value_text is None or not steps:
        document.faults.append(Fault(place, (), None, "is no key=value", "write it as --set load.duration_s=10"))
        return
    if len(steps) > DEEPEST:
        document.faults.append(Fault(place, (), None, *_TOO_DEEP))
        return
    value = read_document(value_text, place)
    if is_too_deep(value.value):
        document.faults.append(Fault(place, (), None, *_TOO_DEEP))
        return
    if value.faults:
        document.faults.append(Fault(place, tuple(steps), None, value.faults[0].what, "put quotes around the value"))
        return
    document.value = {} if document.value is None else document.value
    path = _put(document, steps, value.value, place)
    if path is not None:
        _note(document, value, path, place)


def _short(place: str) -> str:
    return place if len(place) <= _SHOWN else f"{place[:_SHOWN]}…"


def without_secret(text: str) -> str:
    """``key=value`` with the value hidden where a secret's name stands in it."""
    key, equals, _ = text.partition("=")
    return f"{key}{equals}(hidden)" if any(secret in text for secret in SECRET_KEYS) else text


def _split(text: str) -> tuple[list[str], str | None]:
    """The steps of the path, and the text after its ``=`` (None: there is none)."""
    steps: list[str] = []
    position = 0
    while position < len(text) and text[position] != "=":
        if text[position] == ".":
            position += 1
            continue
        match = _STEP.match(text, position)
        if match is None:
            return [], None
        steps.append(next(group for group in match.groups() if group is not None).strip())
        position = match.end()
    return steps, text[position + 1 :] if position < len(text) else None


def _put(document: Document, steps: list[str], value: Any, place: str) -> Path | None:
    holder: Any = document.value
    path: Path = ()
    while True:
        step, used = _next_step(holder, steps)
        steps = steps[used:]
        fault = _unusable(holder, step)
        if fault is not None:
            document.faults.append(Fault(place, (*path, step), None, *fault))
            return None
        path = (*path, step)
        if not steps:
            holder[step] = value
            return path
        if isinstance(holder, dict) and holder.get(step) is None:
            holder[step] = {}
            document.places[path] = place
        holder = holder[step]


def _next_step(holder: Any, steps: list[str]) -> tuple[str | int, int]:
    """The next key or index of ``holder`` that ``steps`` name, and how many of them it takes."""
    if isinstance(holder, list) and re.fullmatch(r"\d{1,6}", steps[0]):
        return int(steps[0]), 1
    if isinstance(holder, dict):
        for count in range(len(steps), 1, -1):
            if ".".join(steps[:count]) in holder:
                return ".".join(steps[:count]), count
    return steps[0], 1


def _unusable(holder: Any, step: str | int) -> tuple[str, str] | None:
    if isinstance(holder, dict):
        return None
    if not isinstance(holder, list):
        return "lies inside something that is neither a section nor a list", "name a key of the configuration"
    if isinstance(step, int) and step < len(holder):
        return None
    return f"is not one of the list's {len(holder)} entries", f"count them from 0 to {len(holder) - 1}"


def _note(document: Document, value: Document, path: Path, place: str) -> None:
    """Forget where the old value stood, and say where the new one does."""
    for known in [known for known in document.places if known[: len(path)] == path]:
        del document.places[known]
    document.left_empty = {known for known in document.left_empty if known[: len(path)] != path}
    document.left_empty |= {(*path, *below) for below in value.left_empty}
    document.places[path] = place

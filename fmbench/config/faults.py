"""What is wrong with a configuration, and how it is said: place, path, value, what, cure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""The keys and indices that lead to a value: ``("models", 0, "id")``."""

SECRET_KEYS = frozenset({"bearer_key"})
"""Keys whose values are never shown or stored."""

MOST_SHOWN = 50
"""Faults beyond that are counted: nobody reads them all before the first ones are put right."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to put right. ``value`` is shown as it was written; ``None``: there is none to show."""

    place: str
    path: Path
    value: str | None
    what: str
    cure: str

    def __str__(self) -> str:
        if not self.path and self.place.startswith("--"):
            return f"{self.place}: {self.what}; {self.cure}"
        subject = path_text(self.path) if self.path else "the file"
        shown = "" if self.value is None else f" = {self.value}"
        return f"{self.place}: {subject}{shown}: {self.what}; {self.cure}"


def path_text(path: Path) -> str:
    """``models[0].inference.max_tokens``; keys that are no plain word are quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _WORD.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def value_text(value: Any, path: Path = ()) -> str:
    """``value`` as YAML would write it in one line, at most 60 letters, and never a secret."""
    if any(secret in f"{path[-1:]}{value}" for secret in SECRET_KEYS):
        return "(hidden)"
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    else:
        text = repr(value) if not isinstance(value, str) else f'"{value}"'
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return text if len(text) <= 60 else text[:57] + "…"


def all_faults(faults: Sequence[Fault], source: str) -> str:
    """The one message that names every fault, in the order of the file."""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = [f"  {fault}" for fault in sorted(faults, key=_order)[:MOST_SHOWN]]
    more = [f"  and {len(faults) - MOST_SHOWN} more"] if len(faults) > MOST_SHOWN else []
    return "\n".join([f"{source} cannot be used ({count}); nothing was sent.", *lines, *more])


def _order(fault: Fault) -> tuple[int, str]:
    line = re.search(r":(\d+)", fault.place)
    return (int(line[1]) if line else 1 << 30, fault.place)

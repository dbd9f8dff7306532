"""An FMBench configuration as it was written, and what became of each part of it, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fmbench.config.document import Document, read_document
from fmbench.config.faults import Path, path_text
from fmbench.core.failures import UnusableInput

_PLACEHOLDER = re.compile(r"<[^<>]*>|\{\w+\}")


@dataclass(slots=True)
class Old:
    """The file, and notes on it."""

    document: Document
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Where, and what became of it."""

    def at(self, *path: str | int) -> Any:
        """What stands at ``path``; None for nothing, and for a blank that FMBench fills in (``{region}``)."""
        value = self.document.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return None if is_blank(value) else value

    def text(self, *path: str | int) -> str | None:
        """The text at ``path``, if there is any."""
        value = self.at(*path)
        return None if value is None or isinstance(value, (dict, list)) else str(value)

    def number(self, *path: str | int) -> float | None:
        """The number at ``path``, if there is one."""
        value = self.at(*path)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def items(self, *path: str | int) -> list[Any]:
        """The list at ``path``; empty where there is none."""
        value = self.at(*path)
        return value if isinstance(value, list) else []

    def says_yes(self, *path: str | int) -> bool:
        """Whether a switch is on: FMBench's files say yes."""
        return str(self.at(*path)).lower() in ("yes", "true", "on")

    def has(self, *path: str | int) -> bool:
        """Whether the file has the key, whatever its value."""
        return tuple(path) in self.document.places

    def note(self, path: Path, what: str) -> None:
        """Say what became of ``path``; the line is found by itself."""
        self.notes.append((f"{self.document.place(path)} {path_text(path)}", what))

    def lines(self) -> Iterator[str]:
        """The notes, in the order of the file."""
        order = sorted(self.notes, key=lambda note: int(m[1]) if (m := re.search(r":(\d+) ", note[0])) else 0)
        return (f"{where}: {what}" for where, what in order)


def is_blank(value: Any) -> bool:
    """Whether a value is only a place to fill in: ``{region}``, which YAML reads as a map of nothing, or ``<your-arn>``."""
    if isinstance(value, dict):
        return len(value) == 1 and list(value.values()) == [None] and re.fullmatch(r"\w+", str(next(iter(value)))) is not None
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value.strip()) is not None


def read(text: str, origin: str) -> Old:
    """The file. Raises ``UnusableInput`` for what is no FMBench configuration."""
    document = read_document(text, origin, last_wins=True)
    twice = [fault for fault in document.faults if fault.what.startswith("stands twice")]
    for fault in document.faults:
        if fault not in twice:
            raise UnusableInput(f"{origin} cannot be read: {fault}")
    old = Old(document)
    for fault in twice:
        old.notes.append((f"{fault.place} {path_text(fault.path)}", "stands twice: the last one is taken, as FMBench did"))
    if not isinstance(document.value, dict) or not old.items("experiments"):
        raise UnusableInput(f"{origin}: is no FMBench configuration: it has no experiments; give one of FMBench's configs/*.yml.")
    return old

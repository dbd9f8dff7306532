"""From a record of any dataset to a ``Row``: which column plays which part, and what each value may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fmbench.config.schema import Columns
from fmbench.core.failures import UnusableInput
from fmbench.prompts.reading.rows import Row

KNOWN: dict[str, tuple[str, ...]] = {
    "input": ("input", "prompt", "text", "question"),
    "context": ("context",),
    "answers": ("answers", "answer"),
    "language": ("language",),
    "dataset": ("dataset", "task"),
    "id": ("_id", "id", "prompt_id"),
    "all_classes": ("all_classes",),
}
"""The columns that play each part unless ``dataset.columns`` says otherwise; the first that a record has."""


class Mapper:
    """Turns records into rows. ``language`` is what a record without one counts as."""

    def __init__(self, columns: Columns, language: str) -> None:
        mapped = columns.model_dump(exclude_none=True)
        self._mapped = mapped
        self._parts = {part: (mapped[part],) if part in mapped else names for part, names in KNOWN.items()}
        self._language = language

    def check(self, names: Iterable[str], where: str) -> None:
        """Raise ``UnusableInput`` unless the columns ``names`` have a text, and every column that the user mapped."""
        present = sorted(names)
        for part, name in self._mapped.items():
            if name not in present:
                raise UnusableInput(f"{where}: has no column {name!r} (dataset.columns.{part}); it has {_listed(present)}")
        if not any(name in present for part in ("input", "context") for name in self._parts[part]):
            raise UnusableInput(
                f"{where}: has none of the columns prompt, text, input, context; it has {_listed(present)}: "
                "say which one to use under dataset.columns"
            )

    def row(self, record: Mapping[str, Any], task: str, where: str) -> Row:
        """The row of ``record``, of ``task`` where the record names none. Raises ``UnusableInput`` for what is no text."""
        return Row(
            task=_task(self._text(record, "dataset", where), task),
            language=self._text(record, "language", where) or self._language,
            input=self._text(record, "input", where),
            context=self._text(record, "context", where),
            answers=_texts(self._value(record, "answers")),
            all_classes=_texts(self._value(record, "all_classes")) or None,
            row_id=self._text(record, "id", where) or None,
            where=where,
        )

    def _value(self, record: Mapping[str, Any], part: str) -> Any:
        return next((record[name] for name in self._parts[part] if record.get(name) is not None), None)

    def _text(self, record: Mapping[str, Any], part: str, where: str) -> str:
        value = self._value(record, part)
        if value is None:
            return ""
        if isinstance(value, str | int | float):
            return clean(str(value))
        raise UnusableInput(
            f"{where}: the column for {part!r} holds a {type(value).__name__}, where a text is needed: "
            f"name another column at dataset.columns.{part}"
        )


def clean(text: str) -> str:
    """``text`` with each lone surrogate, which no encoding can carry, replaced by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _texts(value: Any) -> list[str]:
    """A list of texts from a list, one value, null, or SQuAD's ``{"text": […]}``."""
    if isinstance(value, Mapping):
        value = value.get("text")
    if value is None:
        return []
    items = value if isinstance(value, list | tuple) else [value]
    return [clean(str(item)) for item in items if item is not None]


def _task(named: str, file: str) -> str:
    """The record's own task; but the file's where it is LongBench-E's, whose records name the plain task."""
    return file if not named or file == f"{named}_e" else named


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "no columns at all"

"""From a record of any dataset to a ``Row``: which column plays which part, and what each value may be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fmbench.config.schema import Columns
from fmbench.core.failures import UnusableInput
from fmbench.core.neutral import neutral
from fmbench.prompts.reading import columns as columns_of
from fmbench.prompts.reading.columns import NoColumn, Unplaced
from fmbench.prompts.reading.rows import Placed, Row, is_name
from fmbench.prompts.reading.shapes import LONGBENCH_V2, hint, is_longbench_v2

KNOWN: dict[str, tuple[str, ...]] = {
    "input": ("input", "prompt", "text", "question", "instruction", "query"),
    "context": ("context",),
    "answers": ("answers", "answer"),
    "language": ("language",),
    "dataset": ("dataset", "task"),
    "id": ("_id", "id", "prompt_id"),
    "all_classes": ("all_classes",),
}
"""The columns that play each part unless ``dataset.columns`` says otherwise; the first that a record has."""


TEXTS = frozenset({"input", "context"})
MOST_NAMED = 30
"""Columns that a message names."""


class Mapper:
    """Turns records into rows. ``language`` is what a record without one counts as; ``placed`` what a task's template places."""

    def __init__(self, columns: Columns, language: str, placed: Placed = lambda task: None) -> None:
        mapped = columns.model_dump(exclude_none=True)
        self._mapped = mapped
        self._parts = {part: (mapped[part],) if part in mapped else names for part, names in KNOWN.items()}
        self._language = language
        self._placed = placed
        self._unplaced = Unplaced()

    def check(self, record: Mapping[str, Any], task: str, where: str) -> None:
        """Raise ``UnusableInput`` unless a record's columns have a text, and every column that the user mapped."""
        present = sorted(record)
        for part, name in self._mapped.items():
            if name not in present:
                raise UnusableInput(f"{where}: has no column {name!r} (dataset.columns.{part}); it has {_listed(present)}")
        if not self._others(task) and not any(name in present for part in ("input", "context") for name in self._parts[part]):
            raise UnusableInput(
                f"{where}: has none of the columns prompt, text, input, context; it has {_listed(present)}: "
                + (hint(record) or 'say which one to use under dataset.columns, or place them in dataset.template: "{name}"')
            )

    def row(self, record: Mapping[str, Any], task: str, where: str) -> Row:
        """The row of ``record``, of ``task`` where the record names none. Raises ``UnusableInput`` for what is no text."""
        task = _task(self._text(record, "dataset", where), task)
        if is_longbench_v2(record) and self._placed(task) is None:
            task = LONGBENCH_V2
        columns = self._columns(record, task, where)
        self._unplaced.note(record, [*columns, *self._playing(record, task)])
        return Row(
            task=task,
            language=self._text(record, "language", where) or self._language,
            input=self._part(record, "input", task, where),
            context=self._part(record, "context", task, where),
            answers=_texts(self._value(record, "answers")),
            all_classes=_texts(self._value(record, "all_classes")) or None,
            row_id=self._text(record, "id", where) or None,
            where=where,
            columns=columns,
        )

    def warnings(self, source: str) -> list[str]:
        """Which columns look like a part of a prompt, and are in none."""
        names = self._unplaced.names()
        if not names:
            return []
        example = " ".join(f"{{{name}}}" for name in names[:3])
        return [
            f"{source}: look like a part of the prompt, and are in none: {_listed(names)}. Place what belongs there in "
            f'dataset.template ("{example} …"), or say under dataset.columns which columns are input and context'
        ]

    def _others(self, task: str) -> frozenset[str]:
        """The names that the template of ``task`` places besides ``context`` and ``input``."""
        return (self._placed(task) or frozenset()) - TEXTS

    def _columns(self, record: Mapping[str, Any], task: str, where: str) -> dict[str, str]:
        """What the template places; braces around what is neither a name nor a column are no place."""
        others = sorted(self._others(task))
        names = [name for name in others if name in record or is_name(name)]
        for name in others:
            _check_is_no_format(name, record, where)
        if others and not names and not (self._placed(task) or TEXTS) & TEXTS:
            raise UnusableInput(
                f"{where}: the template places no column of this row ({_listed(others)}), so each prompt would be the same; "
                f"it has {_listed(sorted(record))}"
            )
        return {name: self._column(record, name, where) for name in names}

    def _playing(self, record: Mapping[str, Any], task: str) -> Iterator[str]:
        """The columns that play a part of the row; those of its texts only where the prompt has them."""
        placed = self._placed(task)
        for part, names in self._parts.items():
            if part not in TEXTS or placed is None or part in placed:
                yield from [name for name in names if record.get(name) is not None][:1]

    def _column(self, record: Mapping[str, Any], name: str, where: str) -> str:
        try:
            return clean(columns_of.at(record, name))
        except NoColumn:
            known = [*record, "context", "input"]
            close = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {{{close[0]}}}? " if close else ""
            raise UnusableInput(
                f"{where}: has no column {name!r}, which the template places as {{{name}}}; {meant}it has "
                f"{_listed(sorted(record))}. Write {{{{{name}}}}} for these letters themselves"
            ) from None

    def _path(self, record: Mapping[str, Any], part: str) -> str:
        """Where the first text within the value of a part stands; "" where there is none."""
        steps = [next((name for name in self._parts[part] if record.get(name) is not None), "")]
        value = self._value(record, part)
        while isinstance(value, Mapping | list) and value and len(steps) < 5:
            key: Any = (
                0 if isinstance(value, list) else next((name for name in ("content", "text") if name in value), next(iter(value)))
            )
            steps.append(str(key))
            value = value[key]
        return ".".join(steps) if isinstance(value, str) else ""

    def _value(self, record: Mapping[str, Any], part: str) -> Any:
        return next((record[name] for name in self._parts[part] if record.get(name) is not None), None)

    def _part(self, record: Mapping[str, Any], part: str, task: str, where: str) -> str:
        """The text of ``input`` or ``context``; "" where it is none, and the template places it nowhere."""
        placed = self._placed(task)
        unasked = placed is not None and part not in placed
        if unasked and not isinstance(self._value(record, part), str | int | float):
            return ""
        return self._text(record, part, where)

    def _text(self, record: Mapping[str, Any], part: str, where: str) -> str:
        value = self._value(record, part)
        if value is None:
            return ""
        if isinstance(value, str | int | float):
            return clean(str(value))
        raise UnusableInput(
            f"{where}: the column for {part!r} holds a {type(value).__name__}, where a text is needed: "
            f"name another column at dataset.columns.{part}, or place a part of it in dataset.template"
            + (f', for example "{{{path}}}"' if (path := self._path(record, part)) else "")
        )


_FORMAT = re.compile(
    r"\s*(?P<base>[^\W\d][\w.-]*)\s*(?P<inside>(?:\[[^\]]*\])*)(?:![rsa])?"
    r"(?::[^\w\s]?[<>=^]?[+\- ]?#?0?\d*[,_]?(?:\.\d+)?[a-zA-Z%]?)?\s*"
)
"""A column's name as Python's ``format`` or Jinja would have it placed: with spaces, an index, a conversion or a format."""


def _check_is_no_format(name: str, record: Mapping[str, Any], where: str) -> None:
    """Raise ``UnusableInput`` for what is no column's name, and places one in another language of templates."""
    found = None if name in record or is_name(name) else _FORMAT.fullmatch(name)
    if found is None or not (found["base"] in record or found["base"] in TEXTS or found["base"].split(".")[0] in record):
        return
    steps = [step.strip() for step in re.findall(r"\[([^\]]*)\]", found["inside"])]
    instead = ".".join([found["base"], *steps])
    raise UnusableInput(f"{where}: has no column {name!r}, which the template places as {{{name}}}; write {{{instead}}}")


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
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(neutral(name, 60) for name in names[:MOST_NAMED]) + more if names else "no columns at all"

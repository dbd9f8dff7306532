"""Columns of a record by their names in a template, and what those are like that nothing places."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

_ASKS = frozenset(
    [
        "input",
        "prompt",
        "text",
        "question",
        "query",
        "instruction",
        "instructions",
        "request",
        "problem",
        "goal",
        "context",
        "passage",
        "passages",
        "paragraph",
        "document",
        "documents",
        "article",
        "body",
        "story",
        "source",
        "background",
        "premise",
        "hypothesis",
        "sentence",
        "sentence1",
        "sentence2",
        "system",
        "system_prompt",
        "hint",
        "hints",
        "choices",
        "options",
        "messages",
        "conversations",
        "conversation",
        "turns",
        "dialogue",
        "history",
        "table",
        "code",
        "schema",
    ]
)
_ASKS_BEGIN = ("choice", "option", "question", "context", "passage", "document", "instruction", "prompt")
_TELLS = (
    "answer",
    "response",
    "output",
    "completion",
    "target",
    "label",
    "gold",
    "reference",
    "solution",
    "rationale",
    "explanation",
    "summary",
    "highlights",
    "chosen",
    "rejected",
    "id",
    "url",
    "link",
    "source_",
    "meta",
    "tokens",
    "all_classes",
)
_LONG = 80
"""Letters, on the mean: a column of longer texts looks like a part of a prompt, whatever its name."""
LOOKED_AT = 200
"""Records by which columns are judged."""


class NoColumn(Exception):
    """A name that a record has nothing for."""


def at(record: Mapping[str, Any], name: str) -> str:
    """What stands in a record at ``name``, a column's or a path into one (``choices.0``, ``body.messages.0.content``), as text.

    Null is "", a list of texts is a line each, anything else that is no text is JSON. Raises ``NoColumn``.
    """
    return _as_text(record[name] if name in record else _inside(record, name.split(".")))


def _inside(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list | tuple) and step.isdecimal() and len(step) < 7 and int(step) < len(value):
            value = value[int(step)]
        else:
            raise NoColumn(".".join(steps))
    return value


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        return "\n".join(map(str, value))
    return str(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False, default=str)


class Unplaced:
    """Learns from records which columns hold what looks like a part of a prompt, and that no prompt has."""

    def __init__(self) -> None:
        self._seen = 0
        self._texts: defaultdict[str, list[int]] = defaultdict(list)
        self._placed: set[str] = set()

    def note(self, record: Mapping[str, Any], placed: Iterable[str]) -> None:
        """Look at a record, the columns named in ``placed`` of which are in its prompt."""
        if self._seen >= LOOKED_AT:
            return
        self._seen += 1
        self._placed |= {name for each in placed for name in (each, each.split(".")[0])}
        for name, value in record.items():
            if value not in (None, "", [], {}) and not isinstance(value, int | float):
                self._texts[name].append(len(value) if isinstance(value, str) else _LONG // 2)

    def names(self) -> list[str]:
        """The columns, as they came."""
        return [name for name, lengths in self._texts.items() if name not in self._placed and _asks(name, lengths)]


def _asks(name: str, lengths: Collection[int]) -> bool:
    word = name.lower()
    if word in _ASKS or word.startswith(_ASKS_BEGIN):
        return True
    tells = any(word == tell or word.startswith(tell) or word.endswith(("_" + tell, tell + "s")) for tell in _TELLS)
    return not tells and sum(lengths) / len(lengths) >= _LONG

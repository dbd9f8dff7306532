"""The sentences: what there is to say (``core.messages``), said. The report, ``summary.json`` and the closing line say it here.

A message is said by filling its words with its facts, each written as its type is; one whose sentence takes more than that has a
function in ``report.sentences``. ``names`` is what models are called: their labels, or the report's short names.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import singledispatch
from typing import Any

from fmbench.core.messages import Amount, CellName, Count, Fact, Level, Message, ModelName, Several
from fmbench.report.wording import count_of, joined, level_text, value_text

Names = Callable[[str], str]


def whole(label: str) -> str:
    """A model by its whole label."""
    return label


def say(message: Message, names: Names = whole) -> str:
    """A message as a sentence, or as the part of one that it is."""
    return sentence(message, names)


@singledispatch
def sentence(message: Any, names: Names) -> str:
    """The sentence of a message: its words with the facts filled in. Registered for messages that take more than that."""
    if not message.says:
        raise NotImplementedError(f"nobody says {type(message).__name__}")
    facts = {one.name: getattr(message, one.name) for one in fields(message)}
    return _Filled(names).vformat(message.says, (), facts)


class _Filled(string.Formatter):
    def __init__(self, names: Names) -> None:
        self.names = names

    def format_field(self, value: Any, format_spec: str) -> str:
        return str(super().format_field(written(value, self.names), format_spec))


def written(value: object, names: Names) -> Any:
    """A fact as it stands in a sentence; numbers and text as they are."""
    match value:
        case Message():
            return say(value, names)
        case ModelName(label):
            return names(label)
        case Count(number, noun):
            return count_of(number, noun)
        case Level(users, rate):
            return level_text(users, rate)
        case CellName(model, bucket, users, rate):
            return f"{names(model)}, {bucket}, {level_text(users, rate)}"
        case Amount(number, unit):
            return value_text(unit, number)
        case Several(items, most, joint):
            return several([str(written(item, names)) for item in items], most, joint)
        case Fact():
            raise NotImplementedError(f"nobody writes {type(value).__name__}")
    return value


def several(words: list[str], most: int | None, joint: str) -> str:
    """``a, b and c``; of more than ``most`` the first and how many more."""
    if most is not None and len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return joined(words, joint)


def worded(value: Any) -> Any:
    """Data for JSON: a copy in which every message is its sentence."""
    if isinstance(value, Message):
        return say(value)
    if isinstance(value, dict):
        return {key: worded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [worded(inner) for inner in value]
    return value


def said(messages: Iterable[Message], names: Names) -> list[str]:
    """Several messages, a sentence each."""
    return [say(message, names) for message in messages]

"""What there is to say about a run, as types: a message's class is its code, its fields are the facts.

The report alone makes sentences of them (``report.say``): it fills ``says`` with the facts, each written as its type is. A
message whose sentence depends on more than that has a function of its own there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.units import Unit


class Message:
    """Something to say. Subclasses are frozen dataclasses of facts."""

    says: ClassVar[str] = ""
    """The words, with the facts' names in braces."""


class Fact:
    """A fact that is written in a way of its own."""


@dataclass(frozen=True, slots=True)
class ModelName(Fact):
    """A model's label; the report may shorten it."""

    label: str


@dataclass(frozen=True, slots=True)
class Count(Fact):
    """``1 user``, ``2,000 users``."""

    number: int
    noun: str


@dataclass(frozen=True, slots=True)
class Level(Fact):
    """``4 users``, or of an open loop ``600 requests a minute``."""

    users: int
    rate_per_min: float | None = None


@dataclass(frozen=True, slots=True)
class CellName(Fact):
    """``nova-lite, en_500-1000, 4 users``; of an open loop its requests a minute."""

    model: str
    bucket: str
    users: int
    rate_per_min: float | None = None


@dataclass(frozen=True, slots=True)
class Amount(Fact):
    """A value in its unit: ``1.21 s``, ``$1.74``."""

    value: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Several(Fact):
    """``a, b and c``; of more than ``most`` the first and how many more."""

    items: tuple[object, ...]
    most: int | None = None
    joint: str = "and"


@dataclass(frozen=True, slots=True)
class Phrase(Message):
    """Words of others, as they are: a message of the load, a warning of the preparation."""

    says: ClassVar[str] = "{words}"
    words: str

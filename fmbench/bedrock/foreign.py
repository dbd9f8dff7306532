"""What a service says, checked where it is read: every API and body family takes counts, words and latencies through here.

A count or a stop reason of a wrong kind makes the answer ``malformed``: money and success stand on them. A tier or a latency of a
wrong kind becomes null, and the record's message says what was not believed.
"""

from __future__ import annotations

import math
from typing import Any

from fmbench.bedrock.faults import BadResponse
from fmbench.core.failures import FailureKind
from fmbench.core.neutral import neutral
from fmbench.core.records import Exchange

MAX_TOKENS = 100_000_000
"""More tokens than one request can have: ten times the longest context there is."""
MAX_MILLISECONDS = 24 * 3600 * 1000
MAX_WORD = 100


class Malformed(BadResponse):
    """A field of an answer is not what it can be."""

    kind = FailureKind.MALFORMED


def count(value: Any, name: str = "a token count") -> int | None:
    """A count of tokens; None where the service gave none. Raises ``Malformed`` for anything but a whole number from 0.

    A whole number may be written ``28.0``, as Bedrock does where a guardrail stands before a Titan model.
    """
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is int and 0 <= value <= MAX_TOKENS:
        return value
    raise Malformed(f"{name} is {_shown(value)}")


def word(value: Any, name: str = "the stop reason") -> str | None:
    """A word as it can be kept: printable, at most 100 characters; None where there is none. Raises ``Malformed``."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return neutral(value, MAX_WORD)
    raise Malformed(f"{name} is {_shown(value)}")


def believed_word(exchange: Exchange, value: Any, name: str) -> str | None:
    """The same for a word that nothing stands on: what it cannot be becomes None, and is said."""
    try:
        return word(value, name)
    except Malformed as error:
        _not_believed(exchange, error)
        return None


def believed_seconds(exchange: Exchange, milliseconds: Any, name: str) -> float | None:
    """A latency of the service in seconds; what it cannot be (negative, over a day, no number) becomes None, and is said."""
    if milliseconds is None:
        return None
    if isinstance(milliseconds, (int, float)) and not isinstance(milliseconds, bool) and 0 <= milliseconds <= MAX_MILLISECONDS:
        return milliseconds / 1000
    _not_believed(exchange, Malformed(f"{name} is {_shown(milliseconds)}"))
    return None


def counts_in(value: Any, name: str = "usage") -> dict[str, Any]:
    """The object that holds an answer's counts; empty where the service gave none. Raises ``Malformed`` for anything else."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Malformed(f"{name} is not an object: {_shown(value)}")


def items(value: Any) -> list[Any]:
    """The values of a JSON list, or none."""
    return value if isinstance(value, list) else []


def _not_believed(exchange: Exchange, why: Malformed) -> None:
    said = f"not believed: {why}"
    exchange.message = said if exchange.message is None else f"{exchange.message}; {said}"[:500]


def _shown(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number"
    return neutral(repr(value), 60)

"""Which values a record's columns can hold: no value that a service sent can keep a row, or a run, from being stored."""

from __future__ import annotations

import math
from typing import Any, get_type_hints

from fmbench.core.failures import FailureKind, Outcome
from fmbench.core.neutral import neutral
from fmbench.core.records import Record

_INT64 = 2**63
_LARGEST_EXACT = 2**53
"""A whole number beyond it is no value of a column of floats."""
_KINDS = {name: str(hint) for name, hint in get_type_hints(Record).items()}
IDENTITY = ("worker", "user", "seq")


def misfits(row: dict[str, Any]) -> list[str]:
    """The columns whose value is of a kind that they cannot hold."""
    return [name for name, kind in _KINDS.items() if not _fits(row.get(name), kind)]


def fitted(row: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The row with those columns null, as a request that ended in an answer that cannot be: the request itself is counted."""
    message = neutral(f"values that do not fit were left out: {', '.join(names)}", 500)
    whole = {**row, **dict.fromkeys(names), "message": message}
    if whole.get("outcome") == Outcome.OK or "outcome" in names:
        whole |= {"outcome": str(Outcome.FAILED), "failure": str(FailureKind.MALFORMED)}
    return whole


def identified(row: dict[str, Any]) -> bool:
    """Whether a row says whose request it is."""
    return not any(row.get(name) is None or not _fits(row[name], _KINDS[name]) for name in IDENTITY)


def _fits(value: Any, kind: str) -> bool:
    if value is None:
        return True
    if "list[float]" in kind:
        return isinstance(value, list) and all(_is_number(one) for one in value)
    if "float" in kind:
        return _is_number(value)
    if "int" in kind:
        return type(value) is int and -_INT64 <= value < _INT64
    return isinstance(value, str) and _is_whole(value)


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return abs(value) <= _LARGEST_EXACT
    return isinstance(value, float) and math.isfinite(value)


def _is_whole(text: str) -> bool:
    """Whether text has no half characters, which no file holds."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)

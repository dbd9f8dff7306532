"""Dataclasses as plain values for Locust's messages, and back.

What comes from the network is held against the type hints, strictly: nothing missing, nothing more, no other type, no number or
text beyond what a message of ours can hold. Only what a process of an earlier version does not say (``NEWER``) may be missing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

LONGEST_TEXT = 100_000
MOST_ITEMS = 200_000
LARGEST_INT = 2**63 - 1
NEWER = {"newer": True}
"""The metadata of a field, with a default, that messages of processes of an earlier version do not have."""


class Malformed(ValueError):
    """These are not the bytes of a message of ours."""


def to_plain(value: Any) -> Any:
    """``value`` in maps, lists, text and numbers, as msgpack carries them."""
    if type(value) in _SIMPLE:
        return value
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: Any, value: Any) -> Any:
    """The value of type ``kind`` that ``to_plain`` wrote. Raises ``Malformed`` for anything else."""
    return _reader(kind)(value)


Reader = Callable[[Any], Any]


@cache
def _reader(kind: Any) -> Reader:
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional(next(arg for arg in args if arg is not NoneType))
    if origin is list:
        return _numbers if args[0] is float else _list(args[0])
    if origin is tuple:
        return _tuple(args)
    if origin in (dict, Counter):
        return _mapping(origin, *(args if origin is dict else (*args, int)))
    if issubclass(kind, tuple):
        return _named_tuple(kind)
    return _dataclass(kind)


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise Malformed("no boolean")
    return value


def _int(value: Any) -> int:
    if type(value) is not int or abs(value) > LARGEST_INT:
        raise Malformed("no whole number")
    return value


def _float(value: Any) -> float:
    if type(value) is int:
        return float(_int(value))
    if type(value) is not float or not math.isfinite(value):
        raise Malformed("no number")
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > LONGEST_TEXT:
        raise Malformed("no text")
    return value


_SIMPLE: dict[Any, Reader] = {bool: _bool, int: _int, float: _float, str: _text}


def _items(value: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(value, kind) or len(value) > MOST_ITEMS:  # type: ignore[arg-type]
        raise Malformed("no list or map, or far too long")
    return value


def _numbers(value: Any) -> list[float]:
    """The hot one: rows of counts by slices of time."""
    _items(value, (list, tuple))
    if not set(map(type, value)) <= {float, int}:
        raise Malformed("no numbers")
    try:
        finite = all(map(math.isfinite, value))
    except OverflowError:
        finite = False
    if not finite:
        raise Malformed("no finite numbers")
    return [float(number) for number in value]


def _optional(kind: Any) -> Reader:
    read = _reader(kind)
    return lambda value: None if value is None else read(value)


def _list(kind: Any) -> Reader:
    read = _reader(kind)
    return lambda value: [read(item) for item in _items(value, (list, tuple))]


def _tuple(kinds: tuple[Any, ...]) -> Reader:
    if kinds[-1] is Ellipsis:
        read = _list(kinds[0])
        return lambda value: tuple(read(value))
    reads = [_reader(kind) for kind in kinds]

    def whole(value: Any) -> tuple[Any, ...]:
        if len(_items(value, (list, tuple))) != len(reads):
            raise Malformed("too few or too many items")
        return tuple(read(item) for read, item in zip(reads, value, strict=True))

    return whole


def _mapping(kind: Callable[[dict[Any, Any]], Any], keys: Any, values: Any) -> Reader:
    read_key, read_value = _reader(keys), _reader(values)
    return lambda value: kind({read_key(key): read_value(item) for key, item in _items(value, dict).items()})


def _named_tuple(kind: Any) -> Reader:
    read = _tuple(tuple(get_type_hints(kind).values()))
    return lambda value: kind(*read(value))


def _dataclass(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    reads = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    asked = {field.name for field in fields(kind) if not field.metadata.get("newer")}

    def whole(value: Any) -> Any:
        if not isinstance(value, dict) or not asked <= value.keys() <= reads.keys():
            raise Malformed(f"no {kind.__name__}: keys are missing, or there are others")
        return kind(**{name: reads[name](item) for name, item in value.items()})

    return whole

"""What a manifest has to look like for anything to be read from it: it may come from a bucket that others write to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(map(_object, value))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _counts(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() <= _COUNTED and all(type(count) is int for count in value.values())


def _attempts(value: Any) -> bool:
    return _objects(value) and all(type(row.get("cell")) is int and _text(row.get("status")) for row in value)


def _workers(value: Any) -> bool:
    return _objects(value) and all(_text(row.get("id")) for row in value)


def _process(value: Any) -> bool:
    return isinstance(value, dict) and type(value.get("pid", 0)) is int


_COUNTED = frozenset({"planned", "sent", "ok", "failed", "abandoned", "dropped", "lost", "duplicated", "torn"})
_REQUIRED = ("run_id", "status")
_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("run_id", "name", "status", "endpoint", "command", "ended", "message", "region", "config_sha256"), _text),
    **dict.fromkeys(("started_at", "ended_at", "seed"), _number),
    **dict.fromkeys(("config", "locust", "versions", "environment", "price_book", "quotas"), _object),
    **dict.fromkeys(("buckets", "tokenizer", "prompts", "estimate"), _object),
    **dict.fromkeys(("datasets", "resumed"), _objects),
    "warnings": _texts,
    "accounting": _counts,
    "cells": _attempts,
    "workers": _workers,
    "process": _process,
}
"""What a value must be where it is neither missing nor null."""


def misshapen(manifest: Mapping[str, Any]) -> list[str]:
    """The entries of a manifest that are missing, or not what they should be."""
    wrong = [name for name, fits in _SHAPES.items() if manifest.get(name) is not None and not fits(manifest[name])]
    return [*(name for name in _REQUIRED if manifest.get(name) is None), *wrong]

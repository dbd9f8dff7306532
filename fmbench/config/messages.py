"""Pydantic's findings in the user's words: what is wrong with a value, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from fmbench.config.document import Document
from fmbench.config.faults import Fault, Path, value_text
from fmbench.config.keys import known_keys, sections_with
from fmbench.config.other_names import SHORT_FORMS, right_name
from fmbench.config.units import as_share, in_seconds, in_the_keys_unit

_YAML_11_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}

_KINDS = {
    "int_type": ("is not a whole number", "write one, such as 10"),
    "int_from_float": ("is not a whole number", "write it without a fraction or exponent"),
    "float_type": ("is not a number", "write one, such as 1.5"),
    "finite_number": ("is not a finite number", "write a number, or leave the key out"),
    "bool_type": ("is neither true nor false", "write true or false"),
    "string_type": ("is not text", "put it in quotes"),
    "list_type": ("is not a list", "write it in brackets: [a, b]"),
    "dict_type": ("is not a section of keys", "write key: value lines below it, or {} for none"),
    "model_type": ("is not a section of keys", "write key: value lines below it, or {} for its defaults"),
    "missing": ("is missing", "add it"),
    "string_too_short": ("is empty", "give it a value, or leave the key out"),
}


def faults_of(error: ValidationError, document: Document) -> list[Fault]:
    """A fault for each of pydantic's findings; the branches of a union that failed together are one fault."""
    faults: dict[Path, Fault] = {}
    for detail in error.errors(include_url=False):
        missing = detail["type"] == "missing"
        path = _real_path(detail["loc"], document.value, missing)
        value = None if missing else value_text(detail["input"], path)
        what, cure = _explain(detail, path)
        if path in faults:
            cure = f"{faults[path].cure}, or {cure}"
            what = faults[path].what
        faults[path] = Fault(document.place(path), path, value, what, cure)
    return list(faults.values())


def _real_path(location: Sequence[str | int], value: Any, missing: bool) -> Path:
    """``location`` without the names of union branches that pydantic puts into it. ``missing``: its last step is not there."""
    path: list[str | int] = []
    for place, step in enumerate(location, start=1):
        there = step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int)
        if there or (missing and place == len(location)):
            path.append(step)
            value = _below(value, step)
    return tuple(path)


def _below(value: dict[str, Any] | list[Any], step: str | int) -> Any:
    try:
        return value[step]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return None


def _explain(detail: Any, path: Path) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path, detail["input"])
    if detail["input"] is None and kind in ("int_type", "float_type", "bool_type", "string_type", "list_type"):
        return "is left empty", "give it a value, or leave the key out for its default"
    if kind == "bool_type" and str(detail["input"]).lower() in _YAML_11_WORDS:
        return "is neither true nor false", f"write {_YAML_11_WORDS[str(detail['input']).lower()]}"
    short = _short_form(path, detail["input"]) if kind in ("model_type", "list_type", "dict_type") else None
    if short is not None:
        return short
    key = str(path[-1]) if path else ""
    if kind in ("int_type", "float_type") and (number := in_the_keys_unit(key, detail["input"])) is not None:
        return _KINDS[kind][0], f"write {number}"
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "literal_error":
        return _closed_list(str(detail["input"]), context["expected"])
    if kind == "value_error":
        what, _, cure = str(context["error"]).partition(": ")
        return (what, cure) if cure else (f"cannot be: {what}", "write it that way")
    what, cure = _bound(kind, context, detail["msg"])
    return what, f"{cure}{as_share(key, detail['input'])}"


def _bound(kind: str, context: dict[str, Any], message: str) -> tuple[str, str]:
    words = {
        "greater_than": ("gt", "is too small", "write a number above {}"),
        "greater_than_equal": ("ge", "is too small", "write {} or more"),
        "less_than": ("lt", "is too large", "write a number below {}"),
        "less_than_equal": ("le", "is too large", "write {} or less"),
        "too_long": ("max_length", "has too many entries", "give it at most {}"),
        "too_short": ("min_length", "has too few entries", "give it at least {}"),
        "string_too_long": ("max_length", "is too long", "write at most {} letters"),
        "string_pattern_mismatch": ("pattern", "has letters that may not stand there", "it has to match {}"),
    }
    if kind not in words:
        return message[:1].lower() + message[1:], "see docs/configuration.md"
    key, what, cure = words[kind]
    bound = context[key]
    return what, cure.format(f"{bound:g}" if isinstance(bound, float) else bound)


def _closed_list(value: str, expected: str) -> tuple[str, str]:
    known = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
    close = difflib.get_close_matches(value, known, n=1)
    hint = f'did you mean "{close[0]}"? ' if close else ""
    return "is not one of the words it may be", f"{hint}it may be {', '.join(known)}"


def _unknown_key(path: Path, value: Any) -> tuple[str, str]:
    known, word = known_keys(path[:-1]), str(path[-1])
    meant = right_name(word, known) or next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.55)), None)
    if meant:
        return "is an unknown key", f'did you mean "{meant}"{in_seconds(word, value)}?'
    elsewhere = sections_with(word)
    if elsewhere:
        return "is an unknown key", f"it belongs to {elsewhere}"
    return "is an unknown key", f"leave it out; the keys here are {', '.join(known)}"


def _short_form(path: Path, value: Any) -> tuple[str, str] | None:
    """The cure for a section that was given as a single value: the key that was meant, and the value behind it."""
    section = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    key = SHORT_FORMS.get(section)
    if key is None or isinstance(value, (list, dict, bool)) or value is None:
        return None
    shown = f"[{value}]" if key == "concurrency" else value
    if section == "models":
        return "is not a section of keys", f"write it as a list of models: - id: {shown}"
    return "is not a section of keys", f"write {section}: {{{key}: {shown}}}"

"""Short names for models whose labels are ids or ARNs, so that tables and legends keep their shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LONGEST = 26
_KINDS = {
    "application-inference-profile": "profile ",
    "provisioned-model": "provisioned ",
    "imported-model": "imported ",
    "custom-model": "custom ",
}
_GEOGRAPHY = re.compile(r"^(?:us|eu|apac|jp|au|ca|us-gov|global)\.")
_VERSION = re.compile(r"(?:-\d{8})?(?:-v\d+)?(?::\d+)?(?::\d+k)?$")


def short_names(labels: Sequence[str]) -> dict[str, str]:
    """A distinct name of at most 26 characters (and a number, if need be) for every label, in order."""
    first = {label: _short(label) for label in labels}
    shared = Counter(first.values())
    names: dict[str, str] = {}
    for label in labels:
        name = first[label]
        if shared[name] > 1:
            name = _ends(label) if _is_unique_end(label, labels) else name
        names[label] = _numbered(name, set(names.values()))
    return names


def bare_name(model_id: str) -> str:
    """What people call a model: its id without geography, vendor, date and version; an ARN as it is."""
    if model_id.startswith("arn:"):
        return model_id
    bare = _VERSION.sub("", _GEOGRAPHY.sub("", model_id))
    vendor, _, rest = bare.partition(".")
    return rest if rest and re.fullmatch(r"[a-z0-9]+", vendor) else bare


def _short(label: str) -> str:
    if len(label) <= LONGEST:
        return label
    if label.startswith("arn:"):
        path, _, end = label.rpartition("/")
        kind = next((word for resource, word in _KINDS.items() if resource in path), "")
        return _short(f"{kind}{end}")
    bare = bare_name(label)
    return bare if len(bare) <= LONGEST else _ends(bare)


def _ends(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:12]}…{text[-(LONGEST - 13) :]}"


def _is_unique_end(label: str, labels: Sequence[str]) -> bool:
    return sum(_ends(other) == _ends(label) for other in labels) == 1


def _numbered(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} #{number}" in taken:
        number += 1
    return f"{name} #{number}"

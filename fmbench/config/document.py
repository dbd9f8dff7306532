"""A YAML text as plain values, with the line that every value stands on. Every fault is found, not the first one.

YAML 1.2's plain scalars: ``no``, ``on`` and ``1:30`` are words, ``1e3`` is a number, only ``true`` and ``false`` are booleans.
A key that stands twice in one mapping is a fault. Anchors, aliases and merge keys (``<<``) work, up to a bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from fmbench.config.faults import Fault, Path

MOST_VALUES = 100_000
"""More values than that are no configuration but an alias bomb."""
MOST_WRITTEN = 12_000
"""More values than that are no configuration that anybody wrote."""
DEEPEST = 64
"""Lists and mappings in each other: no key of a configuration lies deeper."""

EMPTY = ""
"""What a plain scalar of no letters is called in a node: a key that was left empty."""


@dataclass
class Document:
    """``value`` is what the text says; ``places`` says where each path of it stands (``line 12``, ``--set load.seed``)."""

    origin: str
    value: Any = None
    places: dict[Path, str] = field(default_factory=dict)
    left_empty: set[Path] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path) -> str:
        """Where ``path``, or the nearest thing above it, stands."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.origin


class _TooMany(Exception):
    """More values than a document may have."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2's rules for plain scalars, and with an end to how much it reads."""

    def __init__(self, text: str, most: int) -> None:
        super().__init__(text)
        self._left = most

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._left -= 1
        if self._left < 0:
            raise _TooMany
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper that quotes text which YAML 1.1 or 1.2 would read as something else."""


_Dumper.yaml_implicit_resolvers = {first: list(rules) for first, rules in yaml.SafeDumper.yaml_implicit_resolvers.items()}
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,30})", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    for _side in (_Loader, _Dumper):
        _side.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))

_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:str": str,
}


def write_document(value: Any) -> str:
    """A YAML text that ``read_document``, and any other reader of YAML, takes for ``value``."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read_document(text: str, origin: str, last_wins: bool = False, most: int = MOST_VALUES) -> Document:
    """The document that ``text`` holds, of at most ``most`` keys and values. What cannot be read stands in its ``faults``.

    Of a key that stands twice the first value is taken, or with ``last_wins`` the last, as other readers of YAML do.
    """
    document = Document(origin)
    try:
        node = _Loader(text, most).get_single_node()
    except _TooMany:
        what = f"has more than {most:,} keys and values"
        document.faults.append(Fault(origin, (), None, what, "give the right file, or leave out what is not asked"))
        return document
    except yaml.YAMLError as error:
        document.faults.append(_syntax_fault(error, origin))
        return document
    except RecursionError:
        document.faults.append(Fault(origin, (), None, "is nested too deeply to be a configuration", "write it flat"))
        return document
    if node is not None:
        document.value = _Reader(document, last_wins).value_of(node, ())
    return document


def _syntax_fault(error: yaml.YAMLError, origin: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    place = origin if mark is None else f"{origin}:{mark.line + 1}:{mark.column + 1}"
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context = getattr(error, "context", None)
    what = f"is not YAML: {problem}" + (f" {context}" if context else "")
    return Fault(place, (), None, what, "look at the indentation (spaces, no tabs), quotes and brackets there")


class _Reader:
    """Turns composed nodes into values, and notes where each stood."""

    def __init__(self, document: Document, last_wins: bool) -> None:
        self.document = document
        self.last_wins = last_wins
        self.values = 0
        self.open: set[int] = set()

    def value_of(self, node: yaml.Node, path: Path) -> Any:
        self.values += 1
        self.document.places.setdefault(path, self._place(node) if path else self.document.origin)
        if id(node) in self.open or self.values == MOST_VALUES:
            self._fault(node, path, "repeats itself without end through an alias", "write it out")
        if id(node) in self.open or self.values >= MOST_VALUES:
            return None
        self.open.add(id(node))
        value = self._inside(node, path)
        self.open.discard(id(node))
        return value

    def _inside(self, node: yaml.Node, path: Path) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value_of(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        convert = _SCALARS.get(node.tag)
        if convert is None:
            self._fault(node, path, f"has the YAML tag {node.tag}, which has no meaning here", "leave the tag out")
            return None
        if node.tag.endswith(":null") and node.value == EMPTY:
            self.document.left_empty.add(path)
        try:
            return convert(node.value)
        except ValueError:
            self._fault(node, path, f"is no value of its YAML tag {node.tag}", "leave the tag out")
            return None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                self._merge(value_node, path, result)
                continue
            key = self._key(key_node, path)
            line = key_node.start_mark.line + 1
            if key in lines:
                self._fault(key_node, (*path, key), f"stands twice: here and in line {lines[key]}", "leave one out")
                if not self.last_wins:
                    continue
            lines[key] = line
            self.document.places[(*path, key)] = f"{self.document.origin}:{line}"
            result[key] = self.value_of(value_node, (*path, key))
        return result

    def _merge(self, node: yaml.Node, path: Path, result: dict[str, Any]) -> None:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            merged = self.value_of(source, path)
            if not isinstance(merged, dict):
                self._fault(node, path, "merges (<<) something that is no mapping", "give it an alias of a mapping")
                continue
            for key, value in merged.items():
                result.setdefault(key, value)

    def _key(self, node: yaml.Node, path: Path) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._fault(node, path, "has a key that is a list or a mapping", "write a word as the key")
            return "?"
        return str(node.value)

    def _fault(self, node: yaml.Node, path: Path, what: str, cure: str) -> None:
        self.document.faults.append(Fault(self._place(node), path, None, what, cure))

    def _place(self, node: yaml.Node) -> str:
        return f"{self.document.origin}:{node.start_mark.line + 1}"


def is_too_deep(value: Any) -> bool:
    """Whether lists and mappings lie in each other more than ``DEEPEST`` levels deep."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _parts(each)]
        if not level:
            return False
    return True


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []

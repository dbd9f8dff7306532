"""What a prompt source gives: rows of LongBench's shape, and where they came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmbench.config.schema import Dataset

Progress = Callable[[str, int, int | None], None]
"""``progress(what, done, total)``: called now and then; ``total`` is None where it is not known."""


_NAME = re.compile(r"[^\W\d][\w.-]*")

Placed = Callable[[str], frozenset[str] | None]


def is_name(text: str) -> bool:
    """Whether what stands in braces in a template is the name of a column in any case; anything else is one where it exists."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a dataset, before any template."""

    task: str
    language: str
    input: str
    context: str
    answers: list[str]
    all_classes: list[str] | None
    row_id: str | None
    """The dataset's own id; None: the content's digest stands in."""
    where: str
    """File and line, or dataset and index: what a message about this row names."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What else its template places: the column's name there, and its text."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source's rows, to be read by index as often as needed, and its rows for the manifest."""

    rows: Sequence[Row]
    origin: dict[str, Any]
    """The manifest's row: ``name, revision, sha256, rows`` and what else says where the rows came from.

    ``sha256`` is that of the file that was read; None: there is no one file, and the rows' own digest stands in.
    """
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SourceTools:
    """What a source may use while it loads."""

    seed: int
    scratch: Path
    """A folder of its own that is gone after the prepare step: caches and downloads go here."""
    measure: Callable[[Row], int]
    """Tokens of the exact text that would be sent for a row."""
    progress: Progress
    placed: Placed = lambda task: None
    """The names that the template of a task places; None: the task has none of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A way to get rows. ``load`` raises ``UnusableInput`` when there are none to be had."""

    load: Callable[[Dataset, SourceTools], Loaded]
    needs: tuple[str, ...] = ()
    """Keys of ``dataset:``, one of which has to be given."""
    ignores: tuple[str, ...] = ()
    """Keys of ``dataset:`` that it does not read."""

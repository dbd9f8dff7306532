"""What a page is made of. Words are Markdown, written once; ``render`` sets them as report.md and as report.html."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fmbench.core.neutral import visible
from fmbench.report.picture import Picture

Align = Literal["left", "right"]


@dataclass(frozen=True)
class Text:
    """A paragraph, in Markdown."""

    words: str


@dataclass(frozen=True)
class Points:
    """A list of points, each in Markdown."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table: its columns' titles and alignments, and cells in Markdown. The first column names the row."""

    titles: tuple[str, ...]
    aligns: tuple[Align, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    stacked: bool = False
    """Whether a narrow screen shows each row as a block of its own, so that nothing is beside the screen."""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.titles) for row in self.rows) or len(self.aligns) != len(self.titles):
            raise ValueError(f"a table of {len(self.titles)} columns with a row or alignment of another length")


@dataclass(frozen=True)
class Figure:
    """A picture: ``plots/<name>.png`` in Markdown, with hover and zoom in HTML."""

    name: str
    picture: Picture


@dataclass(frozen=True)
class Code:
    """Text to be copied as it is, but for characters that show nothing or change how others are shown."""

    text: str
    language: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", visible(self.text.expandtabs()))


@dataclass(frozen=True)
class Notice:
    """A block that stands out: the validity of the run."""

    kind: Literal["pass", "degraded", "invalid", "note"]
    words: str
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fold:
    """Blocks that open on a click: long tables, the configuration."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Slider:
    """A number of a what-if table that the reader can move."""

    name: str
    label: str
    low: float
    high: float
    value: float
    step: float
    unit: str = ""


@dataclass(frozen=True)
class WhatIf:
    """A month's cost by model, under sliders in HTML; ``points`` is the same at three points, for Markdown.

    ``models`` have, of one request: ``model``, ``output_tokens``, and USD ``input``, ``read`` (null: not known) and ``output``.
    """

    sliders: tuple[Slider, ...]
    models: tuple[Mapping[str, object], ...]
    points: Table
    days: float


Block = Text | Points | Table | Figure | Code | Notice | Fold | WhatIf


@dataclass(frozen=True)
class Section:
    """A headed part of the page; ``anchor`` is its place in the table of contents."""

    title: str
    anchor: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """The whole report: the first page (title, answer), then its sections."""

    title: str
    subtitle: str
    first: tuple[Block, ...]
    sections: tuple[Section, ...] = field(default_factory=tuple)


_SPECIAL = re.compile(r"([\\`*\[\]~]|(?<!\w)_|_(?!\w))")


def text(value: object) -> str:
    """Data as Markdown that shows it as it is, on one line."""
    flat = visible(" ".join(str(value).split()))
    return _SPECIAL.sub(r"\\\1", flat).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(value: object) -> str:
    """Data as inline code."""
    flat = visible(" ".join(str(value).split()))
    fence = "`" * (max((len(run) for run in re.findall(r"`+", flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}" if flat else ""


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,), caption: str = "", stacked: bool = False
) -> Table:
    """A table whose columns are set right but for those numbered in ``left``."""
    aligns: tuple[Align, ...] = tuple("left" if place in left else "right" for place in range(len(titles)))
    return Table(tuple(titles), aligns, tuple(tuple(row) for row in rows), caption, stacked)

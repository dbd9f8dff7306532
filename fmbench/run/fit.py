"""Lines that fit a terminal: broken between words or between figures, never inside one, and indented where they go on."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fmbench.core.neutral import visible

if TYPE_CHECKING:
    from rich.text import Text

BETWEEN = " · "
NARROWEST = 40


def plain_cell(text: str) -> Text:
    """A table's cell or title that shows its text letter by letter, whoever wrote it."""
    from rich.text import Text

    return Text(visible(text))


def fitted(parts: Sequence[str], width: int) -> str:
    """``parts`` with dots between, as many to a line as go into ``width`` columns; further lines are indented."""
    lines = [""]
    for part in parts:
        longer = f"{lines[-1]}{BETWEEN}{part}" if lines[-1].strip() else f"{lines[-1]}{part}"
        if len(longer) <= max(width, NARROWEST) or not lines[-1].strip():
            lines[-1] = longer
        else:
            lines.append(f"  {part}")
    return "\n".join(lines)


def wrapped(text: str, width: int) -> str:
    """Each line of ``text`` broken between words; a word that is longer than a line (a path) stays whole."""
    return "\n".join(_wrapped(line, max(width, NARROWEST)) for line in text.split("\n"))


def _wrapped(line: str, width: int) -> str:
    indent = line[: len(line) - len(line.lstrip(" "))]
    lines = textwrap.wrap(
        line, width, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return "\n".join(lines) if len(line) > width else line

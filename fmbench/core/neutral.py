"""Text of others, made harmless: for records, files and terminals."""

from __future__ import annotations

import re
import unicodedata

_STAND_IN = "\N{REPLACEMENT CHARACTER}"
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for a formula's beginning; some take the full-width forms for the plain ones."""
_MUTE = ("C", "Zl", "Zp")
"""Controls, escapes, what turns the direction of writing or has no width, halves of characters; ends of lines and paragraphs."""


PROVIDER_ERRORS = (RuntimeError, OSError, ValueError, AttributeError, TypeError, LookupError)
"""What providers of credentials raise beside botocore's own errors: no program at that path, words that are no JSON, JSON of
another kind, an end that is no date or has passed."""
_PROVIDER = re.compile(r"(Error when retrieving credentials from custom-process:?).*", re.DOTALL)


def discreet(text: str) -> str:
    """``text`` without what a ``credential_process`` wrote to its stderr: nobody knows what stands there."""
    return _PROVIDER.sub(r"\1 [what the credential_process said; start it by hand to see it]", text)


def neutral(text: str, longest: int | None = None) -> str:
    """``text`` on one line, at most ``longest`` characters: what is not printable (controls, escapes, line ends, half
    characters, those that turn the direction of writing) becomes U+FFFD."""
    text = text[:longest]
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _STAND_IN for character in text)


def visible(text: str) -> str:
    """``text`` for a page or a terminal: its lines and spaces as they are, U+FFFD for each other character that shows nothing or
    changes how the rest is shown."""
    if text.isprintable():
        return text
    return "".join(_STAND_IN if character != "\n" and _is_mute(character) else character for character in text)


def _is_mute(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character).startswith(_MUTE)


def neutral_cell(text: str) -> str:
    """A table's cell that no spreadsheet takes for a formula: an apostrophe stands before ``=``, ``+``, ``-``, ``@``."""
    kept = neutral(text)
    first = text.lstrip()[:1] if text[:1].isspace() else text[:1]
    return f"'{kept}" if first in _FORMULA or text.startswith(("\t", "\r", "\n")) else kept


def cell_as_written(cell: str) -> str:
    """What ``neutral_cell`` made a printable text's cell of."""
    return cell[1:] if cell.startswith("'") and neutral_cell(cell[1:]) == cell else cell

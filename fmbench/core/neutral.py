"""Text of others, made harmless: for records, files and terminals."""

from __future__ import annotations

_STAND_IN = "\N{REPLACEMENT CHARACTER}"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def neutral(text: str, longest: int | None = None) -> str:
    """``text`` on one line, at most ``longest`` characters: what is not printable (controls, escapes, line ends, half
    characters, those that turn the direction of writing) becomes U+FFFD."""
    text = text[:longest]
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _STAND_IN for character in text)


def neutral_cell(text: str) -> str:
    """A table's cell that no spreadsheet takes for a formula: an apostrophe stands before ``=``, ``+``, ``-``, ``@``."""
    kept = neutral(text)
    return f"'{kept}" if text.startswith(_FORMULA) else kept

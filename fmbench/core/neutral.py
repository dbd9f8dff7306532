"""Text of others, made harmless: for records, files and terminals."""

from __future__ import annotations

import re

_STAND_IN = "\N{REPLACEMENT CHARACTER}"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


PROVIDERS_ARE_LED_TO = (RuntimeError, OSError, ValueError, AttributeError, TypeError, LookupError)
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


def neutral_cell(text: str) -> str:
    """A table's cell that no spreadsheet takes for a formula: an apostrophe stands before ``=``, ``+``, ``-``, ``@``."""
    kept = neutral(text)
    return f"'{kept}" if text.startswith(_FORMULA) else kept

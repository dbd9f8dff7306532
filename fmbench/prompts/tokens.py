"""Counting tokens offline, to put prompts into buckets. Bills and reports use the service's own count, never this one.

Figures of how far off this is, and how to measure them again: docs/datasets.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

_IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WORDS = re.compile(r"[A-Za-z]+")
_IDEOGRAPH_DISCOUNT = 0.3
"""Tokens that cl100k spends on a Han or kana character beyond the middle of today's tokenizers."""


class Tokenizer(Protocol):
    """Counts the tokens of a text. The same text always gives the same count."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def note(self) -> str: ...

    def count(self, text: str) -> int:
        """Tokens in ``text``; 0 for the empty text. Never fails on valid Unicode, and knows no special tokens."""
        ...


class BytePairTokenizer:
    """cl100k's byte-pair encoding, with Han and kana counted as the middle of today's tokenizers counts them."""

    name = "cl100k-cjk"
    note = (
        "cl100k_base byte-pair encoding; a Han or kana character counts 0.3 tokens less, "
        "since newer tokenizers pack them closer. English within 5 % of other models' tokenizers, Chinese within 30 %"
    )

    def __init__(self, count: Callable[[str], int], version: str) -> None:
        self._count = count
        self.version = version

    def count(self, text: str) -> int:
        tokens = self._count(text)
        if text.isascii():
            return tokens
        return max(1, round(tokens - _IDEOGRAPH_DISCOUNT * len(_IDEOGRAPHS.findall(text))))


class HeuristicTokenizer:
    """A weighted sum of words and characters by class, fitted to ``BytePairTokenizer``; needs nothing installed."""

    name = "heuristic"
    version = "1"
    note = "words and characters by class, fitted to cl100k-cjk: no tokenizer is installed. English within about 10 % a prompt"

    def count(self, text: str) -> int:
        if not text:
            return 0
        weighted = sum(_weight(character) * times for character, times in Counter(text).items())
        return max(1, round(weighted + 0.55 * len(_WORDS.findall(text))))


def _weight(character: str) -> float:
    if character.isascii():
        return _ascii_weight(character)
    return 0.87 if _IDEOGRAPHS.match(character) else 1.3


def _ascii_weight(character: str) -> float:
    if character.isalpha():
        return 0.13
    if character.isdigit():
        return 0.5
    if character == "\n":
        return 0.9
    return 0.0 if character.isspace() else 0.45


def default_tokenizer() -> Tokenizer:
    """``BytePairTokenizer`` where rs-bpe is installed (it has wheels up to Python 3.13), else ``HeuristicTokenizer``."""
    try:
        from rs_bpe.bpe import openai

        return BytePairTokenizer(openai.cl100k_base().count, f"rs-bpe {version('rs-bpe')}")
    except (ImportError, PackageNotFoundError):
        return HeuristicTokenizer()

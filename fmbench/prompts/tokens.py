"""Counting tokens offline, to put prompts into buckets. Bills and reports use the service's own count, never this one.

Figures of how far off this is, and how to measure them again: docs/datasets.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

_IDEOGRAPH_RANGES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_IDEOGRAPHS = re.compile(f"[{_IDEOGRAPH_RANGES}]")
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
        "cl100k_base byte-pair encoding; a Han or kana character counts 0.3 tokens less, since newer ones pack them closer. "
        "English within 6 %, code within 7 %, Chinese within 30 % of other models' tokenizers"
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
    """A weighted sum of words, runs and characters by class, fitted to ``BytePairTokenizer``; needs nothing installed."""

    name = "heuristic"
    version = "1"
    note = (
        "words, runs and characters by class, fitted to cl100k-cjk, since no byte-pair tokenizer is installed here. "
        "English within 10 % a prompt and 3 % a dataset, Chinese within 20 %"
    )

    def count(self, text: str) -> int:
        """Tokens in ``text``, by estimate; 0 for the empty text alone."""
        if not text:
            return 0
        letters = sum(map(len, _WORDS.findall(text)))
        return max(1, round(0.035 * letters + sum(weight * len(runs.findall(text)) for runs, weight in _WEIGHTS)))


_WEIGHTS = (
    (_WORDS, 0.92),
    (re.compile(r"[0-9]{1,3}"), 2.1),
    (re.compile(r"[!-/:-@\[-`{-~]+"), 0.7),
    (re.compile(r"\s*\n"), 0.96),
    (re.compile(r"[ \t]{2,}"), 0.65),
    (_IDEOGRAPHS, 0.83),
    (re.compile(rf"[^\x00-\x7f{_IDEOGRAPH_RANGES}]"), 1.6),
)
"""Tokens for each match: words, groups of digits, punctuation, line ends, indents, ideographs, anything else."""


def default_tokenizer() -> Tokenizer:
    """``BytePairTokenizer`` where rs-bpe is installed (it has wheels up to Python 3.13), else ``HeuristicTokenizer``."""
    try:
        from rs_bpe.bpe import openai

        return BytePairTokenizer(openai.cl100k_base().count, f"rs-bpe {version('rs-bpe')}")
    except (ImportError, PackageNotFoundError):
        return HeuristicTokenizer()

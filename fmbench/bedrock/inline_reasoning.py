"""Reasoning that a model writes into its text, before the answer: ``<reasoning>`` of gpt-oss, ``<think>`` of DeepSeek-R1."""

from __future__ import annotations

_MARKS = {"<reasoning>": "</reasoning>", "<think>": "</think>"}


class InlineReasoning:
    """Tells the visible part of each piece of a streamed text. A text that begins with no mark is visible as it is."""

    __slots__ = ("_close", "_held")

    def __init__(self) -> None:
        self._held: str | None = ""
        """What has to be seen again with the next piece: a text that may begin with a mark, or the end of the reasoning so far.
        None: the visible text has begun."""
        self._close = ""
        """What ends the reasoning that has begun."""

    def visible(self, text: str) -> str:
        """The part of the next piece that is no reasoning."""
        if self._held is None or not text:
            return text
        held = self._held + text
        return self._within(held) if self._close else self._before(held, text)

    def _before(self, held: str, text: str) -> str:
        begun = held.lstrip()
        if not begun:
            return text
        opening = next((mark for mark in _MARKS if begun.startswith(mark) or mark.startswith(begun)), None)
        if opening is None:
            self._held = None
            return held
        self._held = begun
        if not begun.startswith(opening):
            return ""
        self._close = _MARKS[opening]
        return self._within(begun)

    def _within(self, held: str) -> str:
        _, closed, after = held.partition(self._close)
        self._held = None if closed else held[-len(self._close) :]
        return after


def apart(text: str) -> tuple[str, str]:
    """(reasoning, visible text) of a whole text."""
    begun = text.lstrip()
    close = next((close for opening, close in _MARKS.items() if begun.startswith(opening)), None)
    if close is None:
        return "", text
    reasoning, _, visible = text.partition(close)
    return reasoning, visible

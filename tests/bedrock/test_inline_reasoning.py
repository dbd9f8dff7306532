"""Reasoning within the text: told apart from the answer however the text is cut, and never made up."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.bedrock.inline_reasoning import InlineReasoning, apart

TEXTS = [
    ("<reasoning>Hm. </reason</reasoning>The answer.", "The answer."),
    ("\n<think>\nHm.</think>\n\nThe <think>answer</think>.", "\n\nThe <think>answer</think>."),
    ("<reasoning>Hm. And so on", ""),
    ("<thin air>", "<thin air>"),
    ("The <reasoning>answer</reasoning>.", "The <reasoning>answer</reasoning>."),
    ("<", "<"),
]


@pytest.mark.parametrize(("text", "visible"), TEXTS)
@settings(max_examples=50, deadline=None)
@given(cuts=st.sets(st.integers(1, 60)))
def test_the_visible_text_is_the_same_however_it_is_cut(text: str, visible: str, cuts: set[int]) -> None:
    reading = InlineReasoning()
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    seen = "".join(reading.visible(text[start:end]) for start, end in pairwise(places))
    blank = text[: len(text) - len(text.lstrip())]  # a blank piece on its own is passed on at once
    assert seen in (visible, blank + visible) or (text, seen) == ("<", "")  # what may yet be a mark is kept back


@pytest.mark.parametrize(("text", "visible"), TEXTS)
def test_a_whole_text(text: str, visible: str) -> None:
    assert apart(text)[1] == visible
    assert bool(apart(text)[0]) == (visible != text)

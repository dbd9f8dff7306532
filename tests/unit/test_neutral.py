"""Text of others is one printable line everywhere, and no formula in a table."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmbench.core.neutral import cell_as_written, neutral, neutral_cell, visible

OTHER = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode's categories of what is not seen, or moves what is seen."""


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_what_remains_is_printable_and_of_the_same_length(text: str) -> None:
    kept = neutral(text)
    assert len(kept) == len(text)
    assert not any(unicodedata.category(character) in OTHER for character in kept)
    kept.encode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_begins_as_a_formula_does(start: str) -> None:
    assert neutral_cell(f'{start}HYPERLINK("http://x.example")').startswith("'")


def test_plain_text_stays_as_it_is() -> None:
    assert neutral("Überprüfung 中文, 5 %") == neutral_cell("Überprüfung 中文, 5 %") == "Überprüfung 中文, 5 %"
    assert neutral("a" * 50, 10) == "a" * 10


@given(st.text(max_size=40).map(neutral))
def test_a_cell_is_read_back_as_it_was_written(text: str) -> None:
    assert cell_as_written(neutral_cell(text)) == text or text.startswith("'")


def test_a_page_keeps_its_lines_and_spaces_and_nothing_that_hides() -> None:
    assert visible("one\ntwo\u202f5 %\u00a0x") == "one\ntwo\u202f5 %\u00a0x"
    assert visible("\x1b[31m\u202eevil\u200b\x9b\r\u2028") == "\ufffd[31m\ufffdevil\ufffd\ufffd\ufffd\ufffd"

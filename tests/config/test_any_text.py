"""Nothing that a file may hold makes its reading fall over."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from fmbench.config.document import read_document, write_document
from fmbench.config.load import parse_config
from fmbench.core.failures import UnusableInput


@given(st.text(max_size=200))
def test_no_text_at_all_makes_it_fall_over(text: str):
    try:
        parse_config(text, "cfg.yml")
    except UnusableInput as refused:
        assert "cfg.yml" in str(refused)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["models", "load", "dataset", "objectives", "pricing", "simulator", "seed", "quality"]), PLAIN
    )
)
def test_no_value_in_any_section_makes_it_fall_over(values: dict[str, object]):
    try:
        parse_config(yaml.safe_dump(values), "cfg.yml")
    except UnusableInput as refused:
        assert "cfg.yml" in str(refused)


WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)


@given(st.dictionaries(WORDS, st.integers() | WORDS | st.lists(st.booleans(), max_size=3)))
def test_values_are_read_as_they_were_written(values: dict[str, object]):
    document = read_document(write_document(values), "cfg.yml")
    assert document.faults == []
    assert (document.value or {}) == values
    assert yaml.safe_load(write_document(values)) == values

"""Keys of a dataset that its source does not read."""

from __future__ import annotations

import pytest

from fmbench.config.load import parse_config
from fmbench.core.failures import UnusableInput
from fmbench.prompts.sources import CHECKS

MODELS = "models: [{id: amazon.nova-lite-v1:0}]\n"


@pytest.mark.parametrize(
    "keys", ["path: /tmp/rows.jsonl", "repo: rajpurkar/squad", "subset: x", "split: test", "columns: {input: question}"]
)
def test_data_without_a_source_is_refused_with_the_sources_that_read_it(keys: str):
    with pytest.raises(UnusableInput, match=r"no dataset.source is given.*add source: .*huggingface"):
        parse_config(MODELS + f"dataset: {{{keys}}}\n", "cfg.yml", checks=CHECKS)


def test_data_beside_synthetic_prompts_that_were_asked_for_is_a_warning():
    loaded = parse_config(MODELS + "dataset: {path: /tmp/rows.jsonl, source: synthetic}\n", "cfg.yml", checks=CHECKS)
    assert any("dataset.path is not read" in warning for warning in loaded.warnings)

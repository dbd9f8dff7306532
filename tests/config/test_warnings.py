"""What is allowed, and probably not meant."""

from __future__ import annotations

import pytest

from fmbench.config.load import parse_config
from fmbench.core.failures import UnusableInput
from tests.config.reading import MODELS


def test_a_price_for_a_model_that_is_not_asked_is_a_warning():
    loaded = parse_config("models: [{id: a.model-v1:0}]\npricing: {a.model-v1: {input: 1, output: 1}}\n", "cfg.yml")
    assert len(loaded.warnings) == 1
    assert 'pricing has "a.model-v1"' in loaded.warnings[0]
    assert 'Did you mean "a.model-v1:0"?' in loaded.warnings[0]


@pytest.mark.parametrize(
    ("limit", "load", "said"),
    [(1500, "{}", True), (600, "{}", False), (700, "{timeouts: {total_s: 900}}", False), (1500, "{retry: {}}", False)],
)
def test_a_latency_limit_that_no_request_can_miss_is_a_warning(limit: int, load: str, said: bool):
    warnings = parse_config(MODELS + f"objectives: {{e2e_p95_s: {limit}}}\nload: {load}\n", "cfg.yml").warnings
    assert [limit / 1000 == 1.5 and "1500 ms are 1.5" in each for each in warnings if "total_s" in each] == [True] * said


@pytest.mark.parametrize(
    ("buckets", "words"),
    [
        ("[100-300, 300-500]", []),
        ("[500-1000, 100-300]", []),
        ("[100-300, 200-400]", ["100-300 and 200-400 overlap", "200 to 299", "in both"]),
        ("[200-250, 1-500]", ["1-500 and 200-250 overlap", "200 to 249"]),
        ("[1-100, 99-200, 150-300]", ["99 to 99", "another pair"]),
        ("[1-100, 1-200, 1-300]", ["2 more pairs"]),
    ],
)
def test_buckets_that_share_lengths_are_a_warning(buckets: str, words: list[str]):
    warnings = parse_config(MODELS + f"dataset: {{buckets: {buckets}}}\n", "cfg.yml").warnings
    assert len(warnings) == bool(words)
    assert all(word in warnings[0] for word in words)


@pytest.mark.parametrize("buckets", ["[100-300, 100-300]", "[100-300, 0100-300]"])
def test_the_same_bucket_twice_is_an_error(buckets: str):
    with pytest.raises(UnusableInput, match="has the same entry twice; leave one out"):
        parse_config(MODELS + f"dataset: {{buckets: {buckets}}}\n", "cfg.yml")

"""Token counts: near other models' tokenizers for English, not absurd for Chinese and code, the same every time."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmbench.prompts.tokens import BytePairTokenizer, HeuristicTokenizer, Tokenizer, default_tokenizer
from tests.support.shared import LONGBENCH

TOKENIZERS: list[Tokenizer] = [default_tokenizer(), HeuristicTokenizer()]
NAMES = [tokenizer.name for tokenizer in TOKENIZERS]

ENGLISH = (
    "The committee met on a Tuesday evening in late October to decide whether the bridge should be repaired or replaced. "
    "Several residents spoke in favour of repair, arguing that the old structure was part of the character of the town, "
    "while the engineer explained patiently that its foundations had shifted and would not last another ten winters."
)
"""57 words; o200k and cl100k (tiktoken) count 61 tokens."""
CHINESE = "委员会在十月底的一个星期二晚上开会，讨论应该修复还是重建这座桥。许多居民赞成修复，认为旧桥是小城的一部分。"  # noqa: RUF001


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=NAMES)
def test_english_prose_counts_as_tiktoken_counts_it(tokenizer: Tokenizer):
    assert tokenizer.count(ENGLISH) == pytest.approx(61, rel=0.1)


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=NAMES)
def test_chinese_is_between_what_the_least_and_the_most_packed_tokenizers_say(tokenizer: Tokenizer):
    # 0.88 characters a token (cl100k) to 1.47 (Qwen): docs/datasets.md.
    assert len(CHINESE) / 1.47 <= tokenizer.count(CHINESE * 10) / 10 <= len(CHINESE) / 0.88


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=NAMES)
def test_python_code_is_within_what_tokenizers_say(tokenizer: Tokenizer):
    code = inspect.getsource(json.decoder) + inspect.getsource(subprocess)
    # 3.5 to 4.8 characters a token in real tokenizers.
    assert len(code) / 4.8 <= tokenizer.count(code) <= len(code) / 3.5


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=NAMES)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_counted(tokenizer: Tokenizer, text: str):
    tokens = tokenizer.count(text)
    assert tokens == tokenizer.count(text)
    assert (tokens == 0) == (text == "")


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=NAMES)
def test_words_that_mean_something_to_a_tokenizer_are_words_like_others(tokenizer: Tokenizer):
    assert tokenizer.count("<|endoftext|>") > 1


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=NAMES)
def test_it_says_what_it_is(tokenizer: Tokenizer):
    assert tokenizer.name
    assert tokenizer.version
    assert "English within" in tokenizer.note


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="rs-bpe has no wheel for this Python")
def test_where_rs_bpe_is_installed_ascii_counts_are_cl100k_s_own():
    from rs_bpe.bpe import openai

    tokenizer = default_tokenizer()
    assert isinstance(tokenizer, BytePairTokenizer)
    assert tokenizer.count(ENGLISH) == openai.cl100k_base().count(ENGLISH)


@pytest.mark.skipif(not LONGBENCH.exists(), reason="LongBench is not at hand")
@pytest.mark.parametrize(("task", "within"), [("multi_news", 0.03), ("multifieldqa_zh", 0.05), ("lcc", 0.05)])
def test_the_heuristic_agrees_with_the_byte_pairs_over_a_dataset(task: str, within: float):
    lines = (LONGBENCH / f"{task}.jsonl").read_bytes().splitlines()[:60]
    texts = [json.loads(line)["context"] for line in lines]
    exact = sum(default_tokenizer().count(text) for text in texts)
    assert sum(HeuristicTokenizer().count(text) for text in texts) == pytest.approx(exact, rel=within)

"""Synthetic prompts: as long as asked, answered right by reading them, the same for a seed, and ordinary prose."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.core import synthetic_tasks
from fmbench.core.failures import UnusableInput
from fmbench.core.quality import score
from fmbench.core.records import Prompt
from fmbench.prompts import payload
from tests.prompts.making import Made

BUCKETS = ["1-500", "500-1000", "2000-3000", "8000-16000"]


@pytest.fixture(scope="module", params=["en", "zh"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    dataset = {"source": "synthetic", "languages": [request.param], "buckets": BUCKETS, "prompts_per_bucket": 12}
    return Made(tmp_path_factory.mktemp("synthetic"), dataset)


def everything(made: Made) -> list[Prompt]:
    return [prompt for bucket in made.outcome.buckets for prompt in made.prompts(bucket)]


def answer_by_reading(text: str) -> str:
    """The English tasks worked out another way than the program's: word by word, from the promised forms."""
    paragraphs = dict(
        line.removeprefix("Paragraph ").split(": ", 1) for line in text.splitlines() if line.startswith("Paragraph ")
    )
    question = next(line for line in text.splitlines() if line.startswith("Question: "))
    if "Which paragraph" in question:
        name = question.split("about ")[1].split("?")[0]
        (number,) = [number for number, body in paragraphs.items() if name in body]
        return f"Paragraph {number}"
    if "How many" in question:
        return str(len(set(paragraphs.values())))
    work = question.split("designed the ")[1].split(" born?")[0]
    (designer,) = re.findall(rf"The {work} was designed by (\w+ \w+)\.", text)
    (town,) = re.findall(rf"{designer} was born in (\w+)\.", text)
    return town


def test_each_bucket_is_full_and_each_prompt_inside_it(made: Made):
    assert made.outcome.warnings == []
    for name, bucket in made.outcome.buckets.items():
        low, high = map(int, name.split("_")[1].split("-"))
        assert bucket.count == 12
        assert low <= bucket.tokens_min <= bucket.tokens_max < high
        assert bucket.tokens_max - bucket.tokens_min > (high - low) / 4, "lengths are spread over the bucket"


def test_all_tasks_take_their_turn(made: Made):
    for bucket in made.outcome.buckets:
        assert Counter(prompt.dataset for prompt in made.prompts(bucket)) == dict.fromkeys(synthetic_tasks.TASKS, 4)


def test_the_answer_can_be_worked_out_from_the_text(made: Made):
    for prompt in everything(made):
        assert synthetic_tasks.solve(payload.salted(prompt.text, "1" * payload.SALT_LENGTH)) == prompt.answers[0]
        if prompt.language == "en":
            assert answer_by_reading(prompt.text) == prompt.answers[0]


def test_the_right_answer_scores_1_and_a_wrong_one_0(made: Made):
    for prompt in everything(made):
        assert score(prompt.dataset, prompt.language, prompt.answers[0], prompt.answers) == 1.0
        assert score(prompt.dataset, prompt.language, "no idea", prompt.answers) == 0.0


def test_answers_are_not_all_alike(made: Made):
    for task in synthetic_tasks.TASKS:
        answers = [prompt.answers[0] for prompt in everything(made) if prompt.dataset == task]
        assert len(set(answers)) > len(answers) / 4


def test_english_is_as_ordinary_to_a_tokenizer_as_real_prose(tmp_path: Path):
    dataset = {"source": "synthetic", "buckets": ["3000-4000"], "prompts_per_bucket": 10}
    for prompt in Made(tmp_path, dataset).prompts("en_3000-4000"):
        # Real English in LongBench: 3.7 (fiction) to 4.7 (news) characters a token.
        assert 4.0 <= len(prompt.text) / prompt.tokens <= 5.0
        words = re.findall(r"[a-z]+", prompt.text.lower())
        assert len(set(words)) > 400
        # English news text shrinks to about 0.4 of its size, random words to more, repeated filler to under 0.1.
        assert 0.2 <= len(zlib.compress(prompt.text.encode(), 9)) / len(prompt.text.encode()) <= 0.5


def test_no_two_prompts_share_a_long_beginning(tmp_path: Path):
    prompts = Made(tmp_path, {"source": "synthetic", "buckets": ["1000-2000"]}).prompts("en_1000-2000")
    heads = {prompt.text.split("Paragraph 1: ")[1][:120] for prompt in prompts}
    assert len(heads) == len(prompts) == 50


@pytest.mark.parametrize("dataset", [{"buckets": ["500-1000"]}, {"buckets": ["500-1000", "1000-2000"], "prompts_per_bucket": 60}])
def test_a_prompt_depends_on_the_seed_and_its_place_alone(tmp_path: Path, dataset: dict[str, object]):
    first, again, other = (
        {
            prompt.prompt_id: prompt.text
            for prompt in Made(tmp_path / name, {"source": "synthetic", **asked}, seed=seed).prompts("en_500-1000")
        }
        for name, seed, asked in (("a", 1, {"buckets": ["500-1000"]}), ("b", 1, dataset), ("c", 2, dataset))
    )
    assert {name: again[name] for name in first} == first
    assert not set(first.values()) & set(other.values())


@settings(max_examples=15)
@given(low=st.integers(250, 3000), width=st.integers(12, 800), seed=st.integers(0, 2**32))
def test_any_bucket_wide_enough_can_be_filled(tmp_path_factory: pytest.TempPathFactory, low: int, width: int, seed: int):
    dataset = {"source": "synthetic", "buckets": [f"{low}-{low + width}"], "prompts_per_bucket": 3}
    made = Made(tmp_path_factory.mktemp("any"), dataset, seed=seed)
    assert made.outcome.buckets[f"en_{low}-{low + width}"].count == 3


def test_one_task_alone(tmp_path: Path):
    made = Made(tmp_path, {"source": "synthetic", "tasks": ["synthetic_multi_hop"], "buckets": ["500-1000"]})
    assert {prompt.dataset for prompt in everything(made)} == {"synthetic_multi_hop"}


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ({"languages": ["fr"]}, "does not write 'fr'; it writes en, zh"),
        ({"tasks": ["hotpotqa"]}, "no task 'hotpotqa'; it has synthetic_retrieval, synthetic_counting, synthetic_multi_hop"),
        ({"buckets": ["1-50"]}, "tokens or more"),
    ],
)
def test_what_it_cannot_make_is_refused_with_what_it_can(tmp_path: Path, asked: dict[str, object], part: str):
    with pytest.raises(UnusableInput) as raised:
        Made(tmp_path, {"source": "synthetic", **asked})
    assert part in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "What is the capital of France?", 'Which paragraph is about Ann Lee? Answer in the form "Paragraph 1".']
)
def test_what_is_no_synthetic_question_has_no_answer(text: str):
    assert synthetic_tasks.solve(text) is None

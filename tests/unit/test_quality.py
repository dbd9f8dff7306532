"""Quality scores: LongBench's published definitions, on figures worked out by hand or by its own code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmbench.core import quality
from fmbench.core.quality import METRICS, metric_name, score

LONGBENCH_METRICS = {
    "narrativeqa": "f1",
    "qasper": "f1",
    "multifieldqa_en": "f1",
    "multifieldqa_zh": "f1_characters",
    "hotpotqa": "f1",
    "2wikimqa": "f1",
    "musique": "f1",
    "dureader": "rouge_l_characters",
    "gov_report": "rouge_l",
    "qmsum": "rouge_l",
    "multi_news": "rouge_l",
    "vcsum": "rouge_l_characters",
    "trec": "classification",
    "triviaqa": "f1",
    "samsum": "rouge_l",
    "lsht": "classification",
    "passage_retrieval_en": "retrieval",
    "passage_retrieval_zh": "retrieval",
    "passage_count": "count",
    "lcc": "edit_similarity",
    "repobench-p": "edit_similarity",
}
"""dataset2metric of LongBench's eval.py."""


@pytest.mark.parametrize(("task", "metric"), LONGBENCH_METRICS.items())
def test_each_task_has_longbench_s_metric(task: str, metric: str):
    assert metric_name(task, "zh" if "zh" in task else "en") == metric
    assert metric_name(f"{task}_e", "en") == metric


def test_a_task_of_no_known_metric_is_scored_by_f1_of_its_language():
    assert metric_name("mine", "en") == metric_name("synthetic_multi_hop", "en") == "f1"
    assert metric_name("mine", "zh") == "f1_characters"
    assert (metric_name("synthetic_retrieval", "zh"), metric_name("synthetic_counting", "en")) == ("retrieval", "count")


@pytest.mark.parametrize(
    ("prediction", "answer", "expected"),
    [
        ("The Eiffel Tower!", "eiffel tower", 1.0),  # articles, case and punctuation do not count
        ("It is the Eiffel Tower", "Eiffel Tower", 2 / 3),  # 2 shared of 4 and of 2: P 1/2, R 1
        ("paris paris", "Paris", 2 / 3),  # multisets: one of the two counts
        ("London", "Paris", 0.0),
        ("", "Paris", 0.0),
        ("the a an", "the", 0.0),  # nothing is left
    ],
)
def test_f1(prediction: str, answer: str, expected: float):
    assert score("hotpotqa", "en", prediction, [answer]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prediction", "answer", "expected"),
    [
        ("厦门大学", "厦门大学。", 1.0),
        ("在厦门", "厦门大学", 4 / 7),  # 2 shared of 3 and of 4
        ("GPT 模型", "gpt模型", 1.0),
        ("北京", "上海", 0.0),
    ],
)
def test_f1_of_chinese_is_over_characters(prediction: str, answer: str, expected: float):
    assert score("multifieldqa_zh", "zh", prediction, [answer]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prediction", "answer", "expected"),
    [
        # From the rouge package (1.0.1), "rouge-l" "f".
        ("the cat sat on the mat", "the cat lay on the mat", 0.8),  # words once: 4 common of 5 and 5
        ("a b c. d e f.", "d e f. x b c.", 5 / 6),  # each sentence with each other: 5 common of 6 and 6
        ("one two three", "three two one", 1 / 3),
        ("something else", "nothing in common", 0.0),
        ("", "anything", 0.0),
        ("anything", "", 0.0),
    ],
)
def test_rouge_l(prediction: str, answer: str, expected: float):
    assert score("multi_news", "en", prediction, [answer]) == pytest.approx(expected, abs=1e-7)


def test_rouge_l_of_chinese_is_over_characters():
    # Longest common subsequence 今天气好 of 今天天气好 and 今天气很好: 4 different characters common, of 4 and of 5.
    assert score("vcsum", "zh", "今天天气好", ["今天气很好"]) == pytest.approx(8 / 9, abs=1e-7)


@pytest.mark.parametrize(
    ("prediction", "answer", "classes", "expected"),
    [
        ("Date", "Date", ["Date", "City"], 1.0),
        ("Date or City", "Date", ["Date", "City"], 0.5),
        ("City", "Date", ["Date", "City"], 0.0),
        ("Other location", "Other location", ["location", "Other location"], 1.0),  # a part of the right name does not count
        ("Type: Date\nType: City", "Date", ["Date", "City"], 1.0),  # the first line alone
        ("\n\nDate", "Date", ["Date", "City"], 1.0),
        ("Date", "Date", None, 0.0),
    ],
)
def test_classification(prediction: str, answer: str, classes: list[str] | None, expected: float):
    assert score("trec", "en", prediction, [answer], classes) == expected


@pytest.mark.parametrize(
    ("task", "prediction", "answer", "expected"),
    [
        ("passage_retrieval_en", "Paragraph 7", "Paragraph 7", 1.0),
        ("passage_retrieval_en", "It is paragraph 17.", "Paragraph 7", 0.0),
        ("passage_retrieval_en", "7 or 8 or 9", "Paragraph 7", 1 / 3),
        ("passage_retrieval_en", "none", "Paragraph 7", 0.0),
        ("passage_retrieval_zh", "段落12", "段落12", 1.0),
        ("passage_count", "There are 12 of 20.", "12", 0.5),
        ("passage_count", "twelve", "12", 0.0),
        ("synthetic_retrieval", "Paragraph 3", "Paragraph 3", 1.0),
        ("synthetic_counting", "5", "5", 1.0),
    ],
)
def test_retrieval_and_counting(task: str, prediction: str, answer: str, expected: float):
    assert score(task, "en", prediction, [answer]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prediction", "answer", "expected"),
    [
        ("    return x\n    more()", "    return x", 1.0),
        ("```python\n# a comment\nx = 1\n```", "x = 1", 1.0),  # the first line that is neither fence nor comment
        ("abcd", "abxd", 0.75),  # 2 · 3 matches / 8 characters
        ("```", "x", 0.0),
        ("", "x", 0.0),
    ],
)
def test_code_is_scored_by_edit_similarity_of_its_first_line(prediction: str, answer: str, expected: float):
    assert score("lcc", "python", prediction, [answer]) == pytest.approx(expected)


def test_the_best_of_several_answers_counts_and_no_answer_is_no_score():
    assert score("hotpotqa", "en", "fifty-five", ["55", "fifty-five"]) == 1.0
    assert score("hotpotqa", "en", "fifty-five", []) is None


ANSWERS = st.lists(st.text(max_size=40), min_size=1, max_size=3)


@given(st.sampled_from([*METRICS, "mine"]), st.sampled_from(["en", "zh"]), st.text(max_size=80), ANSWERS, st.none() | ANSWERS)
def test_a_score_is_always_between_0_and_1(
    task: str, language: str, prediction: str, answers: list[str], classes: list[str] | None
):
    value = score(task, language, prediction, answers, classes)
    assert value is not None
    assert 0.0 <= value <= 1.0


@given(st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_an_answer_scores_1_against_itself(text: str):
    assert quality.edit_similarity(text, text) == 1.0
    assert quality.rouge_l(text, text) == pytest.approx(1.0)
    assert quality.qa_f1_zh(text, text) == pytest.approx(1.0)

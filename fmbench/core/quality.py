# ruff: noqa: RUF001
"""LongBench's own quality metrics: how near an answer is to the dataset's, between 0 and 1.

Definitions follow ``metrics.py`` and ``eval.py`` of THUDM/LongBench (Bai et al., 2023, arXiv:2308.14508) and, for ROUGE-L, the
``rouge`` package that they call. One difference: Chinese text is cut into characters, not into jieba's words (docs/datasets.md).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

from rapidfuzz import fuzz

from fmbench.core import synthetic_tasks

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_CHOICE = re.compile(r"[Tt]he correct answer is \(?([A-D])\b")
_LETTER = re.compile(r"\s*\(?([A-D])(?:\)|\b)")
_NUMBERS = re.compile(r"\d+")
_PUNCTUATION_ZH = (
    "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】"
    "〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏."
)
_DROP_EN = str.maketrans("", "", string.punctuation)
_DROP_ZH = str.maketrans("", "", string.punctuation + _PUNCTUATION_ZH)
_WORDS_ZH = re.compile(r"[A-Za-z0-9]+|\S")
_FIRST_LINE_TASKS = frozenset({"trec", "triviaqa", "samsum", "lsht", "synthetic_multi_hop"})

Metric = Callable[[str, str, Sequence[str]], float]


def score(
    task: str, language: str, prediction: str, answers: Sequence[str], all_classes: Sequence[str] | None = None
) -> float | None:
    """The best of ``prediction``'s scores against each of ``answers``, by the metric of ``task``; None where there is none.

    There is none when the row has no answer. A task that LongBench does not know is scored by F1 (``language`` says which).
    """
    if not answers:
        return None
    metric = _metric(task, language)
    if base_task(task) in _FIRST_LINE_TASKS:
        prediction = prediction.lstrip("\n").split("\n")[0]
    return max(metric(prediction, answer, all_classes or ()) for answer in answers)


def metric_name(task: str, language: str) -> str:
    """What ``score`` measures a task by: f1, rouge_l, classification, retrieval, count, choice or edit_similarity.

    ``f1_characters`` and ``rouge_l_characters`` are Chinese, cut into characters.
    """
    return _NAMES[_metric(task, language)]


def base_task(task: str) -> str:
    """A task's name without LongBench-E's ``_e``."""
    return task.removesuffix("_e")


def qa_f1(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """F1 of the words that both share (as multisets), without case, punctuation and articles: SQuAD's."""
    return _f1(_words_en(prediction), _words_en(answer))


def qa_f1_zh(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """F1 of the characters that both share (as multisets), without case and punctuation; a run of Latin is one item."""
    return _f1(_characters_zh(prediction), _characters_zh(answer))


def rouge_l(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """Summary-level ROUGE-L's F, over sentences cut at full stops and words counted once, as the ``rouge`` package has it."""
    return _union_lcs_f(_sentences(prediction, str.split), _sentences(answer, str.split))


def rouge_l_zh(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """``rouge_l`` over characters; a run of Latin letters or digits is one item."""
    return _union_lcs_f(_sentences(prediction, _WORDS_ZH.findall), _sentences(answer, _WORDS_ZH.findall))


def classification(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """1 / the number of classes named, if the right one is among them; a class that is a part of the right one does not count."""
    named = [name for name in all_classes if name in prediction]
    # Taking items out of the list that is being walked, as the published code does, skips the item after each one.
    for name in named:
        if name in answer and name != answer:
            named.remove(name)
    return 1.0 / len(named) if answer in named else 0.0


def retrieval(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """The share of the numbers in the answer that are the right paragraph's."""
    right = _NUMBERS.search(answer)
    return _share_of_numbers(prediction, right[0]) if right else 0.0


def count(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """The share of the numbers in the answer that are the right count."""
    return _share_of_numbers(prediction, answer)


def edit_similarity(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """Similarity (2 · matches / lengths) of the first line that is neither comment nor fence, to the program's next line."""
    lines = prediction.lstrip("\n").split("\n")
    code = next((line for line in lines if not any(mark in line for mark in ("`", "#", "//"))), "")
    return round(fuzz.ratio(code, answer)) / 100 if code and answer else 0.0


def choice(prediction: str, answer: str, all_classes: Sequence[str] = ()) -> float:
    """Whether the letter that an answer gives is the right one, read as LongBench v2 does, else from the answer's start."""
    text = prediction.replace("*", "")
    found = _CHOICE.search(text) or _LETTER.match(text)
    return float(found is not None and found[1] == answer.strip())


METRICS: dict[str, Metric] = {
    "narrativeqa": qa_f1,
    "qasper": qa_f1,
    "multifieldqa_en": qa_f1,
    "multifieldqa_zh": qa_f1_zh,
    "hotpotqa": qa_f1,
    "2wikimqa": qa_f1,
    "musique": qa_f1,
    "dureader": rouge_l_zh,
    "gov_report": rouge_l,
    "qmsum": rouge_l,
    "multi_news": rouge_l,
    "vcsum": rouge_l_zh,
    "trec": classification,
    "triviaqa": qa_f1,
    "samsum": rouge_l,
    "lsht": classification,
    "passage_retrieval_en": retrieval,
    "passage_retrieval_zh": retrieval,
    "passage_count": count,
    "lcc": edit_similarity,
    "repobench-p": edit_similarity,
    "longbench_v2": choice,
    synthetic_tasks.RETRIEVAL: retrieval,
    synthetic_tasks.COUNTING: count,
}
"""LongBench's dataset2metric, and the synthetic tasks'; any other task is scored by F1."""

_NAMES: dict[Metric, str] = {
    qa_f1: "f1",
    qa_f1_zh: "f1_characters",
    choice: "choice",
    rouge_l: "rouge_l",
    rouge_l_zh: "rouge_l_characters",
    classification: "classification",
    retrieval: "retrieval",
    count: "count",
    edit_similarity: "edit_similarity",
}


def _metric(task: str, language: str) -> Metric:
    return METRICS.get(base_task(task)) or (qa_f1_zh if language == "zh" else qa_f1)


def _words_en(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_DROP_EN)).split()


def _characters_zh(text: str) -> list[str]:
    return _WORDS_ZH.findall(text.lower().translate(_DROP_ZH))


def _sentences(text: str, cut: Callable[[str], list[str]]) -> list[list[str]]:
    """Sentences as the ``rouge`` package has them: one of white space alone is one empty word."""
    return [cut(part) or [""] for part in text.split(".") if part]


def _f1(prediction: Sequence[str], answer: Sequence[str]) -> float:
    same = sum((Counter(prediction) & Counter(answer)).values())
    return 2 * same / (len(prediction) + len(answer)) if same else 0.0


def _share_of_numbers(prediction: str, right: str) -> float:
    numbers = _NUMBERS.findall(prediction)
    return numbers.count(right) / len(numbers) if numbers else 0.0


def _union_lcs_f(prediction: Sequence[Sequence[str]], answer: Sequence[Sequence[str]]) -> float:
    """F of the words that stand in a longest common subsequence of any sentence pair, each word counted once."""
    union = {word for reference in answer for sentence in prediction for word in _common_words(reference, sentence)}
    if not union:
        return 0.0
    precision, recall = len(union) / len(_vocabulary(prediction)), len(union) / len(_vocabulary(answer))
    return 2 * precision * recall / (precision + recall + 1e-8)


def _common_words(reference: Sequence[str], sentence: Sequence[str]) -> set[str]:
    """The words of a longest common subsequence; of several, the one that the ``rouge`` package takes."""
    if set(reference).isdisjoint(sentence):
        return set()
    table = _lcs_table(reference, sentence)
    words, i, j = set(), len(reference), len(sentence)
    while i and j:
        if reference[i - 1] == sentence[j - 1]:
            words.add(reference[i - 1])
            i, j = i - 1, j - 1
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return words


def _lcs_table(left: Sequence[str], right: Sequence[str]) -> list[list[int]]:
    """``table[i][j]``: the length of a longest common subsequence of the first i and the first j items."""
    table = [[0] * (len(right) + 1)]
    for item in left:
        above, row, last = table[-1], [0], 0
        for j, other in enumerate(right):
            last = above[j] + 1 if item == other else max(above[j + 1], last)
            row.append(last)
        table.append(row)
    return table


def _vocabulary(sentences: Sequence[Sequence[str]]) -> set[str]:
    return {word for sentence in sentences for word in sentence}

# ruff: noqa: RUF001
"""The synthetic tasks' fixed forms, and their answers worked out from a prompt's text alone.

A synthetic prompt holds numbered paragraphs, a line each (``Paragraph 7: …``), and one question in one of these forms:

- retrieval: ``Which paragraph is about Anna Moreau?`` → ``Paragraph 7``, the one that names her;
- counting: ``How many different paragraphs are there …?`` → the number of distinct bodies;
- multi-hop: ``In which town was the person who designed the Halden Viaduct born?`` → two sentences, of two paragraphs,
  answer it: ``The Halden Viaduct was designed by Anna Moreau.`` and ``Anna Moreau was born in Skagen.``

What stands before, between and after does not matter, so that any template and any salt may be around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

RETRIEVAL = "synthetic_retrieval"
COUNTING = "synthetic_counting"
MULTI_HOP = "synthetic_multi_hop"
TASKS = (RETRIEVAL, COUNTING, MULTI_HOP)


@dataclass(frozen=True, slots=True)
class Forms:
    """One language's fixed forms; each ``{slot}`` is a name."""

    paragraph: str
    paragraph_answer: str
    retrieval: str
    counting: str
    multi_hop: str
    designed: str
    born: str


FORMS = {
    "en": Forms(
        paragraph="Paragraph {number}: {body}",
        paragraph_answer="Paragraph {number}",
        retrieval='Which paragraph is about {person}? Answer in the form "Paragraph 1".',
        counting="How many different paragraphs are there, when those that stand here more than once count once?",
        multi_hop="In which town was the person who designed the {work} born?",
        designed="The {work} was designed by {person}.",
        born="{person} was born in {town}.",
    ),
    "zh": Forms(
        paragraph="段落{number}：{body}",
        paragraph_answer="段落{number}",
        retrieval="哪一段介绍的是{person}？请按“段落1”的格式回答。",
        counting="重复出现的段落只算一次，一共有多少个不同的段落？",
        multi_hop="设计{work}的人出生在哪座城市？",
        designed="{work}由{person}设计。",
        born="{person}出生于{town}。",
    ),
}
"""By language, under LongBench's names."""


def solve(text: str) -> str | None:
    """The right answer to the synthetic question that ``text`` asks; None when it asks none or cannot be answered from it."""
    for forms in FORMS.values():
        for solver in (_solve_retrieval, _solve_counting, _solve_multi_hop):
            answer = solver(forms, text)
            if answer is not None:
                return answer
    return None


def _solve_retrieval(forms: Forms, text: str) -> str | None:
    question = _pattern(forms.retrieval).search(text)
    if question is None:
        return None
    for number, body in _paragraphs(forms, text):
        if question["person"] in body:
            return forms.paragraph_answer.format(number=number)
    return None


def _solve_counting(forms: Forms, text: str) -> str | None:
    if forms.counting not in text:
        return None
    return str(len({body for _, body in _paragraphs(forms, text)}))


def _solve_multi_hop(forms: Forms, text: str) -> str | None:
    question = _pattern(forms.multi_hop).search(text)
    if question is None:
        return None
    designed = _pattern(forms.designed, work=question["work"]).search(text)
    born = designed and _pattern(forms.born, person=designed["person"]).search(text)
    return born["town"] if born else None


def _paragraphs(forms: Forms, text: str) -> list[tuple[str, str]]:
    return _pattern(forms.paragraph, re.MULTILINE, suffix="$").findall(text)


_SLOT_PATTERNS = {"number": r"(?P<number>\d+)", "body": r"(?P<body>.+)"}


def _pattern(form: str, flags: int = 0, suffix: str = "", **known: str) -> re.Pattern[str]:
    """The form as a regular expression: slots that are ``known`` stand for themselves, the others are groups."""

    def slot(found: re.Match[str]) -> str:
        name = found[1]
        return re.escape(known[name]) if name in known else _SLOT_PATTERNS.get(name, rf"(?P<{name}>[^.?\n。？，,]+?)")

    return re.compile(re.sub(r"\\\{(\w+)\\\}", slot, re.escape(form)) + suffix, flags)

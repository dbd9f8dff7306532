"""One synthetic text: numbered paragraphs, a question about them, and its answer; it grows and shrinks by the sentence."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from fmbench.core.synthetic_tasks import COUNTING, FORMS, MULTI_HOP, RETRIEVAL

_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCES_A_PARAGRAPH = 5


class Prose(Protocol):
    """A language's words and sentence forms: the modules ``prose_en`` and ``prose_zh``."""

    FIRST_NAMES: Sequence[str]
    LAST_NAMES: Sequence[str]
    NAME_FORM: str
    TOWNS: Sequence[str]
    WORK_NAMES: Sequence[str]
    WORK_KINDS: Sequence[str]
    WORK_FORM: str
    SLOTS: dict[str, tuple[str, ...]]
    OPENINGS: Sequence[str]
    SENTENCES: Sequence[str]
    SENTENCE_JOINT: str
    PADDING: Sequence[str]
    PADDING_FORM: str
    PADDING_JOINT: str


class Story:
    """A text for one task: as short as its question allows at first; ``resize`` brings it near a length."""

    def __init__(self, prose: Prose, language: str, task: str, random_: random.Random) -> None:
        self.task = task
        self.random = random_
        self._prose = prose
        self._forms = FORMS[language]
        self._names = _names(prose, random_)
        self._limit = len(prose.FIRST_NAMES) * len(prose.LAST_NAMES) // 4
        self._paragraphs: list[_Paragraph] = []
        self._order: list[_Paragraph] = []
        """As they stand in the text; a repeated paragraph stands here more than once."""
        self._deck: list[str] = []
        self._padding: list[str] = []
        self._birthplace = ""
        self.question = {RETRIEVAL: self._plot_retrieval, COUNTING: self._plot_counting, MULTI_HOP: self._plot_multi_hop}[task]()

    def context(self) -> str:
        """The numbered paragraphs, a line each."""
        return "\n\n".join(self._forms.paragraph.format(number=n, body=body) for n, body in enumerate(self._bodies(), start=1))

    def answer(self) -> str:
        """The right answer, as the text stands now."""
        if self.task == COUNTING:
            return str(len(self._paragraphs))
        if self.task == RETRIEVAL:
            return self._forms.paragraph_answer.format(number=1 + self._order.index(self._paragraphs[0]))
        return self._birthplace

    def resize(self, gap: int, tokens: int) -> None:
        """Make the text longer (``gap`` > 0) or shorter by about so many of the ``tokens`` that it has with all around it."""
        if 0 < gap < 40:
            self._padding += self.random.choices(self._prose.PADDING, k=max(1, gap // 3))
        elif gap > 0:
            self._grow(gap * self._length() / tokens)
        else:
            self._shrink(-gap * self._length() / tokens)

    def _length(self) -> int:
        return sum(len(paragraph.body()) for paragraph in self._order)

    def _bodies(self) -> list[str]:
        bodies = [paragraph.body() for paragraph in self._order]
        if self._padding:
            words = self._prose.PADDING_JOINT.join(self._padding)
            last = self._paragraphs[-1]
            closing = self._prose.SENTENCE_JOINT + self._prose.PADDING_FORM.format(words=words)
            bodies = [body + closing if self._order[place] is last else body for place, body in enumerate(bodies)]
        return bodies

    def _grow(self, characters: float) -> None:
        while characters > 0:
            paragraph = self._paragraphs[-1]
            if len(self._paragraphs) >= self._limit:
                paragraph = self.random.choice(self._paragraphs)
            elif len(paragraph.sentences) >= paragraph.full:
                paragraph = self._begin()
                characters -= len(paragraph.body()) + self._repeat_now_and_then(paragraph)
            sentence = self._sentence(self._next_form())
            paragraph.sentences.append(sentence)
            characters -= (len(sentence) + 1) * self._order.count(paragraph)

    def _next_form(self) -> str:
        """Sentence forms in random order, each once before any comes again."""
        if not self._deck:
            self._deck = self.random.sample(self._prose.SENTENCES, len(self._prose.SENTENCES))
        return self._deck.pop()

    def _repeat_now_and_then(self, paragraph: _Paragraph) -> int:
        """In a counting text, let one paragraph in four stand once more; the characters that this adds."""
        if self.task != COUNTING or self.random.random() > 0.25:
            return 0
        self._insert(paragraph)
        return len(paragraph.body())

    def _shrink(self, characters: float) -> None:
        """Drop sentences from the end of paragraphs that can spare some, the last first; padding before any."""
        self._padding.clear()
        for paragraph in reversed(self._paragraphs):
            while characters > 0 and len(paragraph.sentences) > paragraph.fixed:
                characters -= (len(paragraph.sentences.pop()) + 1) * self._order.count(paragraph)

    def _plot_retrieval(self) -> str:
        about = self._begin()
        self._begin()
        return self._forms.retrieval.format(person=about.person)

    def _plot_counting(self) -> str:
        self._insert(self._begin())
        self._begin()
        return self._forms.counting

    def _plot_multi_hop(self) -> str:
        """Two people, two works, two towns: one chain answers the question, the other could be taken for it."""
        paragraphs = [self._begin() for _ in range(3)]
        works = [
            self._prose.WORK_FORM.format(name=name, kind=self.random.choice(self._prose.WORK_KINDS))
            for name in self.random.sample(self._prose.WORK_NAMES, 2)
        ]
        towns = self.random.sample(self._prose.TOWNS, 2)
        for own, other, work, town in zip(paragraphs[:2], paragraphs[1:], works, towns, strict=True):
            own.fix(self._forms.born.format(person=own.person, town=town))
            other.fix(self._forms.designed.format(work=work, person=own.person))
        self._birthplace = towns[0]
        return self._forms.multi_hop.format(work=works[0])

    def _begin(self) -> _Paragraph:
        """A new paragraph about somebody new, put somewhere into the text."""
        person = next(self._names)
        opening = self._sentence(self.random.choice(self._prose.OPENINGS), person)
        full = self.random.randint(_SENTENCES_A_PARAGRAPH - 2, _SENTENCES_A_PARAGRAPH + 3)
        paragraph = _Paragraph(person, opening, full, self._prose.SENTENCE_JOINT)
        self._paragraphs.append(paragraph)
        self._insert(paragraph)
        return paragraph

    def _insert(self, paragraph: _Paragraph) -> None:
        self._order.insert(self.random.randint(0, len(self._order)), paragraph)

    def _sentence(self, form: str, person: str = "") -> str:
        """The form with each slot filled; no words twice in one sentence."""
        used = {""}

        def fill(slot: re.Match[str]) -> str:
            if slot[1] == "person":
                return person
            word = ""
            while word in used:
                word = self.random.choice(self._prose.SLOTS[slot[1]])
            used.add(word)
            return word

        sentence = _SLOT.sub(fill, form)
        return sentence[0].upper() + sentence[1:]


class _Paragraph:
    """Sentences about one person. The first ``fixed`` ones stay; ``full`` is how many there are to be at most."""

    def __init__(self, person: str, opening: str, full: int, joint: str) -> None:
        self.person = person
        self.sentences = [opening]
        self.fixed = 1
        self.full = full
        self._joint = joint

    def fix(self, sentence: str) -> None:
        self.sentences.insert(self.fixed, sentence)
        self.fixed += 1

    def body(self) -> str:
        return self._joint.join(self.sentences)


def _names(prose: Prose, random_: random.Random) -> Iterator[str]:
    """Names, none twice. Asked for at most ``_limit`` of them, so that a free one is always found soon."""
    used = {""}
    while True:
        name = ""
        while name in used:
            name = prose.NAME_FORM.format(first=random_.choice(prose.FIRST_NAMES), last=random_.choice(prose.LAST_NAMES))
        used.add(name)
        yield name

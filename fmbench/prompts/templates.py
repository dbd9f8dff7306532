# ruff: noqa: RUF001
"""From a row to the text that is sent: a template a task, with ``{context}``, ``{input}`` or any column, and no chat markup.

Names are filled in in one pass: braces in the data stay as they are, and so do braces in the template that hold no name.
``{{name}}`` stands for ``{name}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from fmbench.config.schema import Dataset
from fmbench.core.failures import UnusableInput
from fmbench.core.quality import base_task
from fmbench.prompts.reading.rows import Row
from fmbench.prompts.reading.shapes import LONGBENCH_V2

_SLOT = re.compile(r"""\{\{(?P<kept>\w[\w.-]*)\}\}|\{(?P<name>[^{}\n"']{1,100})\}""")
"""A name in double braces, which stays as one in single braces, or the place of a column."""

QUESTION = (
    "Read the text below, then answer the question about it. Give only the answer, in as few words as it takes.\n\n"
    "Text:\n{context}\n\nQuestion: {input}\nAnswer:"
)
PASSAGES = (
    "Below are several passages; the answer may need more than one of them. Answer the question from the passages. "
    "Give only the answer, in as few words as it takes.\n\n{context}\n\nQuestion: {input}\nAnswer:"
)
SUMMARY = "Here is what there is to read:\n\n{context}\n\nSummarise it in one page of plain prose.\n\nSummary:"
QUERY_SUMMARY = (
    "Here is the transcript of a meeting:\n\n{context}\n\n"
    "Answer this request from the transcript, in a few sentences: {input}\nAnswer:"
)
EXAMPLES = "These are solved examples. Solve the last one in the same way, and write only its answer.\n\n{context}\n\n{input}"
RETRIEVAL = (
    "Here are numbered paragraphs:\n\n{context}\n\nOne of them is what this description was made from:\n\n{input}\n\n"
    'Which one is it? Reply in the form "Paragraph 1", and write nothing else.\nAnswer:'
)
COUNTING = (
    "Here are paragraphs; some stand here more than once:\n\n{context}\n\n"
    "How many different paragraphs are there when each is counted once? Reply with the number alone.\nAnswer:"
)
CHOICE = (
    "Read the text below, then answer the question about it by one of the four choices.\n\nText:\n{context}\n\n"
    "Question: {question}\n(A) {choice_A}\n(B) {choice_B}\n(C) {choice_C}\n(D) {choice_D}\n\n"
    'Reply in the form "The correct answer is (A)", and write nothing else.'
)
CODE = "Continue this program. Write only its next line.\n\n{context}{input}"
QUESTION_ZH = "请先阅读下面的文字，再回答后面的问题。只写答案，用词越少越好。\n\n{context}\n\n问题：{input}\n答案："
SUMMARY_ZH = "请阅读以下内容：\n\n{context}\n\n请用一段通顺的文字概括其要点。\n\n概括："
EXAMPLES_ZH = "下面是一些已经完成的例子。请照样完成最后一个，只写答案。\n\n{context}\n\n{input}"
RETRIEVAL_ZH = (
    "下面是一些编了号的段落：\n\n{context}\n\n以下描述出自其中一段：\n\n{input}\n\n是哪一段？请只按“段落1”的格式回答。\n答案："
)
DEFAULTS = {"zh": QUESTION_ZH}
"""By language, for a task of no other template; ``QUESTION`` for any other language."""

OWN: dict[str, str] = {
    "narrativeqa": QUESTION,
    "qasper": QUESTION,
    "multifieldqa_en": QUESTION,
    "multifieldqa_zh": QUESTION_ZH,
    "hotpotqa": PASSAGES,
    "2wikimqa": PASSAGES,
    "musique": PASSAGES,
    "dureader": QUESTION_ZH,
    "gov_report": SUMMARY,
    "qmsum": QUERY_SUMMARY,
    "multi_news": SUMMARY,
    "vcsum": SUMMARY_ZH,
    "trec": EXAMPLES,
    "triviaqa": EXAMPLES,
    "samsum": EXAMPLES,
    "lsht": EXAMPLES_ZH,
    "passage_count": COUNTING,
    "passage_retrieval_en": RETRIEVAL,
    "passage_retrieval_zh": RETRIEVAL_ZH,
    "lcc": CODE,
    "repobench-p": CODE,
    LONGBENCH_V2: CHOICE,
}


class Templates:
    """The templates of a run: the user's first, then the dataset's own file, then ours; ``default`` for any other task."""

    def __init__(self, by_task: Mapping[str, str], default: str | None) -> None:
        self._by_task = by_task
        self._default = default

    def render(self, row: Row) -> str:
        """The exact text of a row, without a salt. A row with no context and no template of its own is sent as it is."""
        return _filled(self._template(row), row)

    def shared(self, row: Row) -> int | None:
        """How many characters of a row's text come before its question: up to the end of the context; None: all."""
        before, context, after = self._template(row).partition("{context}")
        if not context or names_in(before) or not row.context or not _filled(after, row).strip():
            return None
        return len(_filled(before + context, row))

    def placed(self, task: str) -> frozenset[str] | None:
        """The names that the template of ``task`` places; None: it has none of its own."""
        template = self._named(task)
        return None if template is None else names_in(template)

    def _named(self, task: str) -> str | None:
        return self._by_task.get(task) or self._by_task.get(base_task(task)) or self._default

    def _template(self, row: Row) -> str:
        template = self._named(row.task)
        if template is None:
            template = DEFAULTS.get(row.language, QUESTION) if row.context and row.input else "{context}{input}"
        return template


def _filled(template: str, row: Row) -> str:
    parts = {**row.columns, "context": row.context, "input": row.input}
    return _SLOT.sub(lambda slot: parts.get(slot["name"], slot[0]) if slot["name"] else f"{{{slot['kept']}}}", template)


def names_in(template: str) -> frozenset[str]:
    """The names that a template has places for."""
    return frozenset(slot["name"] for slot in _SLOT.finditer(template) if slot["name"])


def templates_for(dataset: Dataset) -> Templates:
    """The templates that ``dataset`` asks for. Raises ``UnusableInput`` for a file or a template that cannot be used."""
    by_task = dict(OWN)
    if dataset.template_file is not None:
        by_task.update(_read(Path(dataset.template_file)))
    if isinstance(dataset.template, str):
        _check("dataset.template", dataset.template)
        return Templates({}, dataset.template)
    for task, template in (dataset.template or {}).items():
        _check(f"dataset.template.{task}", template)
        by_task[task] = template
    return Templates(by_task, by_task.get("default"))


def _read(path: Path) -> dict[str, str]:
    where = f"dataset.template_file: {path}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableInput(f"{where}: cannot be read ({error.strerror}); give the path of a dataset2prompt.json") from error
    except ValueError as error:
        raise UnusableInput(f"{where}: is not JSON ({error}); it should be one object, a template for each task") from error
    if not isinstance(content, dict) or not all(isinstance(template, str) for template in content.values()):
        raise UnusableInput(f"{where}: should be one JSON object with a template (text) for each task")
    for task, template in content.items():
        _check(f"{where}: {task}", template)
    return content


def _check(where: str, template: str) -> None:
    if not names_in(template):
        raise UnusableInput(
            f"{where}: has neither {{context}} nor {{input}} nor a column's name in braces, so each prompt would be the same: "
            "add one"
        )

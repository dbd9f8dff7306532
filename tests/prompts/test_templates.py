"""Templates: both slots filled, nothing else touched, no chat markup, and the user's own before ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmbench.config.schema import Dataset
from fmbench.core.failures import UnusableInput
from fmbench.prompts.reading.rows import Row
from fmbench.prompts.templates import OWN, templates_for
from tests.support.shared import LONGBENCH

LONGBENCH_TASKS = [
    *("narrativeqa", "qasper", "multifieldqa_en", "multifieldqa_zh", "hotpotqa", "2wikimqa", "musique", "dureader"),
    *("gov_report", "qmsum", "multi_news", "vcsum", "trec", "triviaqa", "samsum", "lsht"),
    *("passage_count", "passage_retrieval_en", "passage_retrieval_zh", "lcc", "repobench-p"),
]


def a_row(task: str = "hotpotqa", context: str = "CONTEXT", input: str = "INPUT", language: str = "en") -> Row:
    return Row(task, language, input, context, [], None, None, "here")


@pytest.mark.parametrize("task", LONGBENCH_TASKS)
def test_each_longbench_task_has_a_template_that_shows_what_the_task_needs(task: str):
    text = templates_for(Dataset()).render(a_row(task))
    assert "CONTEXT" in text
    # These three have no question: their rows' input is empty.
    assert ("INPUT" in text) == (task not in ("gov_report", "multi_news", "vcsum", "passage_count"))


@pytest.mark.parametrize("template", OWN.values())
def test_no_template_of_ours_has_chat_markup(template: str):
    assert not any(mark in template for mark in ("<s>", "[INST]", "<|", "Human:", "Assistant:", "```"))


@given(st.text(), st.text())
def test_braces_in_the_data_stay_as_they_are(context: str, input: str):
    template = 'Keep {{this}} and {"json": {}} {{and}} {0}. {context}|{input}|{context}'
    text = templates_for(Dataset(template=template)).render(a_row(context=context, input=input))
    assert text == f'Keep {{this}} and {{"json": {{}}}} {{and}} {{0}}. {context}|{input}|{context}'


def test_the_users_template_for_one_task_leaves_the_others():
    templates = templates_for(Dataset(template={"hotpotqa": "Mine: {input}"}))
    assert templates.render(a_row("hotpotqa")) == "Mine: INPUT"
    assert templates.render(a_row("hotpotqa_e")) == "Mine: INPUT", "LongBench-E's rows are of the same task"
    assert templates.render(a_row("musique")) == templates_for(Dataset()).render(a_row("musique"))


def test_a_row_with_no_context_is_sent_as_it_is():
    assert templates_for(Dataset()).render(a_row("mine", context="", input="Tell me {context}.")) == "Tell me {context}."


def test_an_unknown_task_in_chinese_is_asked_in_chinese():
    assert "问题：INPUT" in templates_for(Dataset()).render(a_row("mine", language="zh"))  # noqa: RUF001


def test_the_dataset_s_own_file(tmp_path: Path):
    path = tmp_path / "dataset2prompt.json"
    path.write_text(json.dumps({"hotpotqa": "Q {input} C {context}"}))
    assert templates_for(Dataset(template_file=str(path))).render(a_row()) == "Q INPUT C CONTEXT"


@pytest.mark.skipif(not LONGBENCH.exists(), reason="LongBench is not at hand")
def test_longbench_s_published_file_renders_as_its_own_code_does():
    path = LONGBENCH / "dataset2prompt.json"
    published = json.loads(path.read_text())
    templates = templates_for(Dataset(template_file=str(path)))
    for task, template in published.items():
        assert templates.render(a_row(task)) == template.format(context="CONTEXT", input="INPUT")


@pytest.mark.parametrize(
    ("content", "part"),
    [("not json", "is not JSON"), ("[1]", "one JSON object"), ('{"hotpotqa": "no slot"}', "neither {context} nor {input}")],
)
def test_a_template_file_that_cannot_be_used_is_named(tmp_path: Path, content: str, part: str):
    path = tmp_path / "templates.json"
    path.write_text(content)
    with pytest.raises(UnusableInput) as raised:
        templates_for(Dataset(template_file=str(path)))
    assert str(path) in str(raised.value)
    assert part in str(raised.value)


def test_a_template_without_a_slot_is_refused():
    with pytest.raises(UnusableInput, match=r"dataset\.template: has neither"):
        templates_for(Dataset(template="Say hello."))
    with pytest.raises(UnusableInput, match="cannot be read"):
        templates_for(Dataset(template_file="/nonexistent/prompt.json"))

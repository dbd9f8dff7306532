"""Rows that are not LongBench's first kind: every column can be placed, what is not placed is named, and no row is mistaken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fmbench.core.failures import UnusableInput
from fmbench.core.quality import score
from tests.prompts.making import Made

WORDS = "The quick brown fox jumps over the lazy dog near the river bank. "
BUCKET = {"buckets": ["1-4000"]}


def v2_rows(count: int = 5) -> list[dict[str, Any]]:
    """LongBench v2's shape, as its data.json has it: rows that differ in a choice alone."""
    plain = {"domain": "Single-Document QA", "sub_domain": "Legal", "difficulty": "easy", "length": "short"}
    choices = {"choice_B": "Bea", "choice_C": "Cid", "choice_D": "Dan", "answer": "B"}
    return [
        {"_id": f"y{n}", **plain, "question": "Who paid?", "choice_A": f"Ann {n}", **choices, "context": WORDS * 30}
        for n in range(count)
    ]


def file(folder: Path, content: Any, name: str = "rows.jsonl") -> str:
    """Rows as a file: a list as JSON lines, or as one array where the name says so; text as it is."""
    path = folder / name
    if isinstance(content, str):
        path.write_text(content)
    else:
        path.write_text(json.dumps(content, indent=1) if name.endswith(".json") else "\n".join(map(json.dumps, content)))
    return str(path)


def texts(folder: Path, dataset: dict[str, Any]) -> list[str]:
    return sorted(prompt.text for prompt in Made(folder / "out", {**BUCKET, **dataset}).prompts("en_1-4000"))


@pytest.mark.parametrize(
    ("name", "source"),
    [("data.json", "longbench"), ("data.json", "jsonl"), ("rows.jsonl", "jsonl"), ("data.json", "huggingface")],
)
def test_longbench_v2_is_read_with_its_choices_from_an_array_and_from_lines(tmp_path: Path, name: str, source: str):
    made = Made(tmp_path / "out", {**BUCKET, "source": source, "path": file(tmp_path, v2_rows(), name)})
    prompts = made.prompts("en_1-4000")
    assert len(prompts) == 5
    assert len({prompt.text for prompt in prompts}) == 5
    assert {prompt.dataset for prompt in prompts} == {"longbench_v2"}
    assert {tuple(prompt.answers) for prompt in prompts} == {("B",)}
    for prompt in prompts:
        assert WORDS * 30 in prompt.text
        assert all(part in prompt.text for part in ("Who paid?", "(A) Ann ", "(B) Bea", "(C) Cid", "(D) Dan"))
    assert not any("look like" in warning or "same text" in warning for warning in made.outcome.warnings)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("The correct answer is (B)", 1.0),
        ("The correct answer is B.", 1.0),
        ("**The correct answer is (C)**", 0.0),
        ("B", 1.0),
        ("(B) Bea", 1.0),
        ("Bea", 0.0),
        ("", 0.0),
    ],
)
def test_a_choice_is_scored_by_its_letter(answer: str, right: float):
    assert score("longbench_v2", "en", answer, ["B"]) == right


def test_every_column_can_be_placed_by_name_by_path_and_with_blanks(tmp_path: Path):
    rows = [{"Best Text": "one", "n": 3, "tags": ["x", "y"], "deep": {"turns": [{"said": "hello"}]}, "none": None}]
    template = "{Best Text}|{n}|{tags}|{tags.1}|{deep.turns.0.said}|{none}|{{n}}|{not a column}"
    path = file(tmp_path, rows)
    assert texts(tmp_path, {"source": "jsonl", "path": path, "template": template}) == ["one|3|x\ny|y|hello||{n}|{not a column}"]


def test_a_placed_column_is_filled_in_once(tmp_path: Path):
    rows = [{"a": "{b} {input}", "b": "B", "input": "I"}]
    assert texts(tmp_path, {"source": "jsonl", "path": file(tmp_path, rows), "template": "{a}/{input}"}) == ["{b} {input}/I"]


@pytest.mark.parametrize("source", ["jsonl", "huggingface"])
def test_an_unknown_placeholder_is_an_error_that_names_the_nearest_column(tmp_path: Path, source: str):
    dataset = {"source": source, "path": file(tmp_path, v2_rows(), "data.json"), "template": "{context} {choice_E}"}
    with pytest.raises(UnusableInput, match=r"no column 'choice_E'.*did you mean \{choice_[A-D]\}.*it has _id, answer, choice_A"):
        texts(tmp_path, dataset)


def test_an_unknown_placeholder_over_synthetic_prompts_is_an_error(tmp_path: Path):
    with pytest.raises(UnusableInput, match=r"\{contxt\} is no column of source: synthetic"):
        Made(tmp_path, {"buckets": ["500-1000"], "prompts_per_bucket": 1, "template": "{contxt} {input}"})


def warnings(folder: Path, rows: list[dict[str, Any]], **dataset: Any) -> str:
    made = Made(folder / "out", {**BUCKET, "source": "jsonl", "path": file(folder, rows), **dataset})
    return "\n".join(made.outcome.warnings)


def test_columns_that_look_like_a_part_of_the_prompt_and_are_in_none_are_named(tmp_path: Path):
    alpaca = [{"instruction": f"Translate {n}.", "input": WORDS * 5 + str(n), "output": WORDS} for n in range(5)]
    assert "look like a part of the prompt, and are in none: instruction." in warnings(tmp_path, alpaca)
    assert "look like" not in warnings(tmp_path, alpaca, template="{instruction} {input}")
    assert "in none: input." in warnings(tmp_path, alpaca, template="{instruction}")
    other = [
        {"prompt": f"Sum up {n}.", "lead": WORDS * 3, "id": str(n), "answer": WORDS * 3, "url": "http://x" * 20} for n in range(5)
    ]
    assert "in none: lead." in warnings(tmp_path, other)


def test_dollys_instruction_is_asked_over_its_context(tmp_path: Path):
    dolly = [{"instruction": f"When did it start, {n}?", "context": WORDS * 20, "response": "2000"} for n in range(5)]
    found = texts(tmp_path, {"source": "jsonl", "path": file(tmp_path, dolly)})
    assert len(found) == 5
    assert all("When did it start" in text and WORDS in text for text in found)


def test_rows_that_collapse_into_one_are_said(tmp_path: Path):
    rows = [{"question": "Which is it?", "choices": [f"c{n}", "d"], "answer": 0} for n in range(5)]
    said = warnings(tmp_path, rows)
    assert "in none: choices." in said
    assert "4 of 5 rows would send the same text as another" in said
    assert len(texts(tmp_path, {"source": "jsonl", "path": file(tmp_path, rows), "template": "{question}\n{choices}"})) == 5


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ([{"id": "a", "conversations": [{"from": "human", "value": "Hi"}]}], "x.json", "ShareGPT.*{conversations.0.value}"),
        ([{"messages": [{"role": "user", "content": "Hi"}]}], "x.jsonl", "OpenAI's messages.*{messages.0.content}"),
        ([{"custom_id": "1", "body": {}}], "x.jsonl", "a batch file of OpenAI's.*{body.messages.0.content}"),
        ([{"timestamp": 1, "input_length": 9, "output_length": 4}], "x.jsonl", "Mooncake.*nothing to send"),
        ("TIMESTAMP,ContextTokens\n2024-05-12 00:00:01,512\n", "x.csv", "looks like a table: use source: huggingface"),
        ('{\n "rows": []\n}\n', "x.json", "one JSON object over several lines.*jq"),
        ([{"title": "t", "body_of_it": "b"}], "x.jsonl", "it has body_of_it, title: say which.*dataset.template"),
        ('[{"input": "a"}, {"inp', "x.json", "row 2: is not JSON.*cut off"),
        ('["a", "b"]', "x.json", "row 1: is a JSON str, not an object"),
        ("<html></html>\n", "x.jsonl", "a page of HTML"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "x.jsonl", "a pointer of Git LFS"),
    ],
)
def test_a_refusal_says_what_the_format_is_and_how_to_read_it(tmp_path: Path, content: Any, name: str, said: str):
    with pytest.raises(UnusableInput, match=f"(?s){said}"):
        texts(tmp_path, {"source": "jsonl", "path": file(tmp_path, content, name)})


def test_conversations_are_read_with_the_template_that_the_refusal_names(tmp_path: Path):
    rows = [{"id": "a", "conversations": [{"from": "human", "value": f"Hi {n}"}]} for n in range(3)]
    dataset = {"source": "jsonl", "path": file(tmp_path, rows, "x.json"), "template": "{conversations.0.value}"}
    assert texts(tmp_path, dataset) == ["Hi 0", "Hi 1", "Hi 2"]


def test_an_array_is_read_wherever_its_bytes_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from fmbench.prompts.reading import arrays, files

    monkeypatch.setattr(arrays, "_PIECE", 7)
    rows = [{"input": f'één «{n}» \\ " [ ] , ☃', "n": n} for n in range(20)]
    path = tmp_path / "x.json"
    path.write_text("\ufeff " + json.dumps(rows, ensure_ascii=False) + "\n")
    found = [record for each in files.find(str(path), tmp_path)[0] for record, _, _ in files.records(each)]
    assert found == rows

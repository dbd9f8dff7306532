"""Files of other kinds and placeholders of other languages: read, or one refusal that says what it is and what to do."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fmbench.core.failures import UnusableInput
from tests.prompts.making import Made
from tests.prompts.test_columns import BUCKET, texts

ROWS = [{"prompt": f"Who is {n}?", "a": {"b": "deep"}, "of": ["x", "y"]} for n in range(2)]
LINES = "\n".join(map(json.dumps, ROWS)).encode()


def refusal(folder: Path, dataset: dict[str, Any]) -> str:
    with pytest.raises(UnusableInput) as error:
        Made(folder / "out", {**BUCKET, **dataset})
    return str(error.value)


def stored(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_a_file_that_is_packed_or_no_text_is_named_with_what_to_do(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "rows.tar", "w") as archive:
        archive.add(stored(tmp_path, "inside.jsonl", LINES), "inside.jsonl")
    made = {
        "gz": (gzip.compress(LINES), "gzip file: unpack it first"),
        "xz": (lzma.compress(LINES), "an xz file: unpack it first"),
        "bz2": (bz2.compress(LINES), "bzip2 file: unpack it first"),
        "tar": ((tmp_path / "rows.tar").read_bytes(), "tar archive: unpack it first"),
        "utf-16": (LINES.decode().encode("utf-16"), "UTF-16 or UTF-32: save it as UTF-8"),
        "utf-16-le": (LINES.decode().encode("utf-16-le"), "UTF-16 or UTF-32: save it as UTF-8"),
        "array": (json.dumps(ROWS).encode("utf-16-le"), "UTF-16 or UTF-32: save it as UTF-8"),
        "pdf": (b"%PDF-1.7\n", "a PDF"),
    }
    for name, (content, said) in made.items():
        path = stored(tmp_path, f"rows.{name}", content)
        assert said in refusal(tmp_path, {"source": "jsonl", "path": path}), name


def test_tables_with_tabs_are_read_and_those_with_semicolons_told(tmp_path: Path) -> None:
    path = stored(tmp_path, "rows.tsv", b"question\tanswer\nWho, there?\tI\nWhy?\tso\n")
    assert texts(tmp_path, {"source": "huggingface", "path": path}) == ["Who, there?", "Why?"]
    path = stored(tmp_path, "rows.csv", b"question;answer\nWho?;I\n")
    assert "not parted by commas" in refusal(tmp_path, {"source": "huggingface", "path": path})


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b"question,answer\n"), ("b.csv", b""), ("c.json", b"[]"), ("d.jsonl", b"")]
)
def test_a_table_without_rows_says_that_it_has_none(tmp_path: Path, name: str, content: bytes) -> None:
    assert "holds no row at all" in refusal(tmp_path, {"source": "huggingface", "path": stored(tmp_path, name, content)})


@pytest.mark.parametrize(
    ("placed", "instead"),
    [("{of[0]}", "{of.0}"), ("{prompt!r}", "{prompt}"), ("{prompt:>10}", "{prompt}"), ("{ prompt }", "{prompt}"),
     ("{{ prompt }}", "{prompt}"), ("{ input }", "{input}")],
)  # fmt: skip
def test_a_placeholder_of_another_language_is_an_error(tmp_path: Path, placed: str, instead: str) -> None:
    path = stored(tmp_path, "rows.jsonl", LINES)
    said = refusal(tmp_path, {"source": "jsonl", "path": path, "template": f"{placed} {{prompt}}"})
    assert f"write {instead}" in said


def test_braces_that_hold_no_column_stay(tmp_path: Path) -> None:
    path = stored(tmp_path, "rows.jsonl", LINES)
    template = '{prompt} {} {0} {prompt: a word} {"a": 1} {x[0]} {a.b}'
    assert texts(tmp_path, {"source": "jsonl", "path": path, "template": template}) == [
        f'Who is {n}? {{}} {{0}} {{prompt: a word}} {{"a": 1}} {{x[0]}} deep' for n in range(2)
    ]


def test_a_template_that_places_no_column_of_the_rows_is_an_error(tmp_path: Path) -> None:
    path = stored(tmp_path, "rows.jsonl", LINES)
    assert "places no column of this row" in refusal(tmp_path, {"source": "jsonl", "path": path, "template": "{0}"})


def test_a_prompt_that_is_a_list_of_messages_can_be_placed_and_the_refusal_says_how(tmp_path: Path) -> None:
    rows = [{"prompt": [{"role": "user", "content": f"Who is {n}?"}]} for n in range(2)]
    path = stored(tmp_path, "rows.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert '"{prompt.0.content}"' in refusal(tmp_path, {"source": "jsonl", "path": path})
    placed = {"source": "jsonl", "path": path, "template": "{prompt.0.content}"}
    assert texts(tmp_path, placed) == ["Who is 0?", "Who is 1?"]


def test_rows_within_an_object_and_texts_of_nulls_are_told(tmp_path: Path) -> None:
    path = stored(tmp_path, "rows.json", json.dumps({"data": ROWS}).encode())
    assert "one object that holds its rows" in refusal(tmp_path, {"source": "jsonl", "path": path})
    path = stored(tmp_path, "nulls.jsonl", b'{"prompt": "Who?", "z": null}\n{"prompt": "Why?", "z": null}\n')
    assert "2 empty" in refusal(tmp_path, {"source": "jsonl", "path": path, "template": "{z}"})

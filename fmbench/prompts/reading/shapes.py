"""Data of known shapes that are no rows of text: what each is called, and how it can be read after all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CHOICES = ("choice_A", "choice_B", "choice_C", "choice_D")
LONGBENCH_V2 = "longbench_v2"
"""The task of LongBench v2's rows: ``_id, domain, sub_domain, difficulty, length, question, choice_A…D, answer, context``."""


def is_longbench_v2(record: Mapping[str, Any]) -> bool:
    """Whether a record is of LongBench v2's shape."""
    return "question" in record and "context" in record and all(choice in record for choice in CHOICES)


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that is known by its columns."""

    is_it: Callable[[Mapping[str, Any]], bool]
    what: str
    cure: str


def _has(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda record: all(name in record for name in names)


def _is_unsplit(record: Mapping[str, Any]) -> bool:
    return len(record) == 1 and any(mark in next(iter(record)) for mark in ";\t|")


def _holds_rows(record: Mapping[str, Any]) -> bool:
    lists = (value for value in record.values() if isinstance(value, list) and value)
    return any(all(isinstance(item, Mapping) for item in value) for value in lists)


_PLACED = 'place what is to be sent in a template, for example dataset.template: "{%s}"'
_LENGTHS = (
    "it holds lengths and times and no text, so there is nothing to send: use source: synthetic with buckets of such lengths"
)
_UTF_16 = "text in UTF-16 or UTF-32: save it as UTF-8, for example with iconv -f UTF-16 -t UTF-8 FILE"
SHAPES = (
    Shape(_has("conversations"), "ShareGPT's conversations", _PLACED % "conversations.0.value"),
    Shape(_has("custom_id", "body"), "a batch file of OpenAI's requests", _PLACED % "body.messages.0.content"),
    Shape(_has("recordId", "modelInput"), "a batch file of Bedrock's requests", _PLACED % "modelInput.messages.0.content"),
    Shape(_has("messages"), "OpenAI's messages", _PLACED % "messages.0.content"),
    Shape(_has("timestamp", "input_length"), "a trace of Mooncake's kind", _LENGTHS),
    Shape(_has("TIMESTAMP", "ContextTokens"), "Azure's LLM inference trace", _LENGTHS),
    Shape(_has("Timestamp", "Request tokens"), "BurstGPT's trace", _LENGTHS),
    Shape(_is_unsplit, "a table whose columns are not parted by commas", "write it with commas, or with tabs as a .tsv file"),
    Shape(_has("data", "version"), "SQuAD's own file, one object", "use source: huggingface with repo: rajpurkar/squad"),
    Shape(
        _holds_rows,
        "one object that holds its rows",
        "make a line of each, for example with jq -c '.[] | arrays[]' FILE > rows.jsonl",
    ),
)


def hint(record: Mapping[str, Any]) -> str:
    """What a record without a text is, and how to read it; "" where its shape is not known."""
    return next((f"this is {shape.what}: {shape.cure}" for shape in SHAPES if shape.is_it(record)), "")


def no_lines(line: bytes) -> str:
    """What a file is whose line is not JSON, and how to read it; "" where it does not look like anything known."""
    text = line.decode("utf-8-sig", "replace").strip()
    if kind := no_text(line):
        return kind
    if text == "{" or (text.startswith("{") and not text.endswith("}")):
        return (
            "this looks like one JSON object over several lines: make a line of each row, "
            "for example with jq -c '.data[]' FILE > rows.jsonl (or jq -c . where each object is a row)"
        )
    if text.startswith("<"):
        return "this is a page of HTML or XML, not data: fetch the file itself again"
    if text.startswith("version https://git-lfs"):
        return "this is a pointer of Git LFS, not the data: fetch it with git lfs pull"
    if text.count(",") or text.count("\t"):
        return "this looks like a table: use source: huggingface with the path of a .csv or .tsv file, which has a header line"
    return ""


_PATH = "use source: huggingface with its path"
_BEGINNINGS = (
    (b"PAR1", f"a Parquet file: {_PATH}"),
    (b"ARROW1", f"an Arrow file: {_PATH}"),
    (b"\x1f\x8b", "a gzip file: unpack it first (gunzip)"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file: unpack it first (unzstd)"),
    (b"\xfd7zXZ", "an xz file: unpack it first (unxz)"),
    (b"BZh", "a bzip2 file: unpack it first (bunzip2)"),
    (b"PK\x03\x04", "a damaged zip archive, or an Excel workbook: pack it again, or save the sheet as CSV"),
    (b"SQLite format 3", "an SQLite database: write its rows as JSON lines"),
    (b"%PDF-", "a PDF, not data: write its text as JSON lines"),
    (b"\xff\xfe", _UTF_16),
    (b"\xfe\xff", _UTF_16),
)


def no_text(line: bytes) -> str:
    """What a file is whose first line is not text in UTF-8, and how to read it; "" where it does not look like anything known."""
    kind = next((kind for beginning, kind in _BEGINNINGS if line.startswith(beginning)), "")
    if not kind and line[257:262] == b"ustar":
        kind = "a tar archive: unpack it first (tar -xf), and give the folder"
    if not kind and b"\0" in line[:4]:
        kind = _UTF_16
    return f"this is {kind}" if kind else ""

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


_PLACED = 'place what is to be sent in a template, for example dataset.template: "{%s}"'
_LENGTHS = (
    "it holds lengths and times and no text, so there is nothing to send: use source: synthetic with buckets of such lengths"
)
SHAPES = (
    Shape(_has("conversations"), "ShareGPT's conversations", _PLACED % "conversations.0.value"),
    Shape(_has("custom_id", "body"), "a batch file of OpenAI's requests", _PLACED % "body.messages.0.content"),
    Shape(_has("recordId", "modelInput"), "a batch file of Bedrock's requests", _PLACED % "modelInput.messages.0.content"),
    Shape(_has("messages"), "OpenAI's messages", _PLACED % "messages.0.content"),
    Shape(_has("timestamp", "input_length"), "a trace of Mooncake's kind", _LENGTHS),
    Shape(_has("TIMESTAMP", "ContextTokens"), "Azure's LLM inference trace", _LENGTHS),
    Shape(_has("Timestamp", "Request tokens"), "BurstGPT's trace", _LENGTHS),
    Shape(_has("data", "version"), "SQuAD's own file, one object", "use source: huggingface with repo: rajpurkar/squad"),
)


def hint(record: Mapping[str, Any]) -> str:
    """What a record without a text is, and how to read it; "" where its shape is not known."""
    return next((f"this is {shape.what}: {shape.cure}" for shape in SHAPES if shape.is_it(record)), "")


def no_lines(line: bytes) -> str:
    """What a file is whose line is not JSON, and how to read it; "" where it does not look like anything known."""
    text = line.decode("utf-8-sig", "replace").strip()
    if line[:4] == b"PAR1":
        return "this is a Parquet file: use source: huggingface with its path"
    if line[:2] == b"\x1f\x8b":
        return "this is a gzip file: unpack it first (gunzip)"
    if line[:6] == b"ARROW1":
        return "this is an Arrow file: use source: huggingface with its path"
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
        return "this looks like a table: use source: huggingface with the path of a .csv file, which has a header line"
    return ""

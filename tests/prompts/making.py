"""What the prompt tests share: a configuration, a prepare step, and rows to prepare."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fmbench.config.schema import Config
from fmbench.core.records import Prompt
from fmbench.prompts import payload
from fmbench.prompts.prepare import PreparedPrompts, prepare

"""Real rows, where they are at hand."""


def configuration(dataset: Mapping[str, Any], **rest: Any) -> Config:
    """A configuration with one model and this dataset."""
    return Config.model_validate({"models": [{"id": "model"}], "dataset": dict(dataset), **rest})


class Made:
    """A prepare step's outcome, read back from its files."""

    def __init__(self, folder: Path, dataset: Mapping[str, Any], **rest: Any) -> None:
        self.folder = folder
        self.progress: list[tuple[str, int, int | None]] = []
        self.outcome: PreparedPrompts = prepare(
            configuration(dataset, **rest), folder, lambda what, done, total: self.progress.append((what, done, total))
        )

    def prompts(self, bucket: str) -> list[Prompt]:
        return payload.load(self.folder / f"payload_{bucket}.jsonl")

    def fates(self) -> list[dict[str, str]]:
        with (self.folder / "fates.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def row(number: int, words: int = 100, **changes: Any) -> dict[str, Any]:
    """A LongBench row whose context has so many English words."""
    plain = {
        "input": f"What does sentence {number} say?",
        "context": " ".join(
            ["The", "fox", "sleeps", "under", "an", "old", "tree", "near", "the", f"river{number}"] * (words // 10)
        ),
        "answers": ["it sleeps"],
        "length": words,
        "dataset": "hotpotqa",
        "language": "en",
        "all_classes": None,
        "_id": f"id{number}",
    }
    return {**plain, **changes}


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path

"""Hand-made runs for the tests of the summary: every number is put in by the test, so that it can be worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from fmbench.core import summary
from fmbench.core.records import COLUMNS
from fmbench.report.summary import worded

T0 = 1_790_000_000.0


def row(sent: float, e2e: float = 1.0, **given: Any) -> dict[str, Any]:
    """One ok request, ``sent`` seconds after the run's start; ``given`` replaces any column."""
    made: dict[str, Any] = dict.fromkeys(COLUMNS)
    made |= {"run_id": "r", "worker": "w0", "user": 0, "model": "a", "model_id": "a.id", "api": "converse-stream"}
    made |= {"dataset": "synthetic", "bucket": "en_1-500", "concurrency": 1, "cell": 0, "block": 0, "phase": "measure"}
    made |= {"intended_at": T0 + sent, "sent_at": T0 + sent, "ended_at": T0 + sent + e2e, "ttft_s": e2e / 4, "e2e_s": e2e}
    made |= {"tpot_s": 0.01, "prompt_tokens": 100, "input_tokens": 100, "output_tokens": 10, "stop_reason": "end_turn"}
    made |= {"outcome": "ok", "usd": 0.001}
    return made | given


def failed(sent: float, failure: str, e2e: float = 0.1, **given: Any) -> dict[str, Any]:
    """One failed request."""
    empty = dict.fromkeys(("ttft_s", "tpot_s", "input_tokens", "output_tokens", "stop_reason", "usd"))
    return row(sent, e2e, **(empty | {"outcome": "failed", "failure": failure} | given))


@dataclass
class Cellful:
    """The requests of one cell and its line; its window is [0, 10) s from ``start`` unless said."""

    rows: list[dict[str, Any]]
    model: str = "a"
    bucket: str = "en_1-500"
    concurrency: int = 1
    start: float = 0.0
    window: tuple[float, float] = (0.0, 10.0)
    line: dict[str, Any] = field(default_factory=dict)


def run_of(
    cells: list[Cellful], objectives: dict[str, Any] | None = None, **manifest: Any
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Records and manifest of a run of ``cells``."""
    rows, lines = [], []
    for index, cell in enumerate(cells):
        named = {"model": cell.model, "bucket": cell.bucket, "concurrency": cell.concurrency, "cell": index}
        rows += [made | named for made in cell.rows]
        start, end = (T0 + cell.start + edge for edge in cell.window)
        line = {**named, "model_id": f"{cell.model}.id", "attempt": 1, "block": 0, "status": "complete", "reason": None}
        lines.append(line | {"started_at": start - 1, "measure_at": start, "drain_at": end, "ended_at": end + 1} | cell.line)
    made_manifest = {"run_id": "r", "config": {"objectives": objectives or {}}, "cells": lines, **manifest}
    return pd.DataFrame(rows, columns=list(COLUMNS)), made_manifest


def summarise(records: pd.DataFrame, manifest: dict[str, Any], health: pd.DataFrame) -> dict[str, Any]:
    """The summary as ``summary.json`` has it, sentences and all."""
    return dict(worded(summary.summarise(records, manifest, health)))

"""The table at a run's end, in a pipe and in terminals of any width: its figures are those of summary.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from fmbench.run.closing import closing_table, doubt_lines, narrow

LONG = "us.anthropic.claude-haiku-4-5-20251001-v1:0"


def cell(model: str, scale: float, *, usd: float | None) -> dict[str, Any]:
    """A cell of a summary, its figures told apart by ``scale``."""
    latency = {"n": 100, "p50": 0.1234 * scale, "p95": 0.5678 * scale}
    return {
        **{"model": model, "bucket": "en_1-500", "concurrency": 8, "rate_per_min": None},
        **{"ttft_s": latency, "e2e_s": {"n": 100, "p50": 2.345 * scale, "p95": None}},
        **{"transactions_per_minute": 1234.0 * scale, "output_tokens_per_s": 432.0 * scale, "usd_per_10k": usd},
    }


def summary() -> dict[str, Any]:
    rows = [("nova-lite", "met", 8), (LONG, "undecided", None)]
    models = [
        {
            **{"model": model, "status": status, "highest_concurrency": highest, "highest_rate_per_min": None},
            "point": {"concurrency": highest, "rate_per_min": None} if highest else None,
            "closest": {"concurrency": 8, "rate_per_min": None},
        }
        for model, status, highest in rows
    ]
    cells = [cell("nova-lite", 1.0, usd=0.98765), cell(LONG, 2.0, usd=None)]
    return {"bucket_of_interest": "en_1-500", "verdicts": [{"bucket": "en_1-500", "models": models}], "cells": cells}


def seconds_of(words: str) -> float:
    """What ``0.568 s`` or ``568 ms`` says."""
    number, unit = words.replace("\u202f", " ").split()
    return float(number.replace(",", "")) / (1000 if unit == "ms" else 1)


@pytest.mark.parametrize("width", [50, 80, 100, 140, 200])
def test_whatever_the_width_every_figure_is_whole_and_named(width: int):
    table = closing_table(summary())
    assert table is not None
    words = narrow(table, width)
    assert all(len(line) <= width for line in words.splitlines()[1:] if " · " in line)
    for told, found in zip(_rows(words), summary()["cells"], strict=True):
        check(told, found)


def _rows(words: str) -> list[str]:
    """The words of each model in one line."""
    joined = words.replace("\n  ", " · ").replace("\u202f", " ")
    return joined.splitlines()[1:]


def check(told: str, found: Mapping[str, Any]) -> None:
    """The words ``told`` have the figures of the cell ``found``, each behind its name."""
    named = {name: value for part in told.split(" · ")[1:] for name, value in [_named(part)]}
    assert seconds_of(named["TTFT p50"]) == pytest.approx(found["ttft_s"]["p50"], rel=0.005)
    assert seconds_of(named["TTFT p95"]) == pytest.approx(found["ttft_s"]["p95"], rel=0.005)
    assert seconds_of(named["end to end p50"]) == pytest.approx(found["e2e_s"]["p50"], rel=0.005)
    assert named["end to end p95"] == "—"
    assert float(named["answers/min"].replace(",", "")) == pytest.approx(found["transactions_per_minute"], rel=0.005)
    assert float(named["tokens/s"].replace(",", "")) == pytest.approx(found["output_tokens_per_s"], rel=0.005)
    dollars = found["usd_per_10k"]
    assert named["$/10k"] == "—" if dollars is None else float(named["$/10k"][1:]) == pytest.approx(dollars, rel=0.01)


def _named(part: str) -> tuple[str, str]:
    match = re.fullmatch(r"(users|TTFT p50|TTFT p95|end to end p50|end to end p95|answers/min|tokens/s|\$/10k) (.*)", part)
    assert match is not None, part
    return match[1], match[2]


def test_the_terminal_says_why_an_answer_is_not_certain() -> None:
    chosen = {"certain": False, "doubts": ["At only 1 user of a it is undecided.", "The price of b is not known."]}
    [line] = doubt_lines({"recommendation": chosen, "validity": {"verdict": "DEGRADED"}})
    assert line == "It is not certain. At only 1 user of a it is undecided. (and 1 more in the report)"
    assert doubt_lines({"recommendation": {"certain": True, "doubts": []}}) == []
    assert doubt_lines({"recommendation": None}) == []
    assert doubt_lines({"recommendation": chosen, "validity": {"verdict": "INVALID"}}) == []

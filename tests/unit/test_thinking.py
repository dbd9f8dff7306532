"""What the report says of thinking is arithmetic by hand over a few answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from fmbench.core.cells import MeasuredCell
from fmbench.core.prices.price import USUAL, Price, rates_of
from fmbench.core.prices.rates import Schedule
from fmbench.core.table import read
from fmbench.core.thinking import thinking_of
from fmbench.report.blocks import Table, Text
from fmbench.report.sections import SECTIONS

PRICE = Price(schedules={USUAL: Schedule(rates_of({"input": 1.0, "output": 10.0}))}, source="config")
TEXT = {"answered": "text", "ttft_s": 0.2, "ttft_text_s": 1.2, "output_tokens": 100.0, "reasoning_tokens": 60.0}
USED_UP = {"answered": "reasoning_only", "ttft_s": 0.4, "ttft_text_s": None, "output_tokens": 100.0, "reasoning_tokens": 100.0}
PLAIN = {"answered": "text", "ttft_s": 0.3, "ttft_text_s": 0.3, "output_tokens": 40.0, "reasoning_tokens": None}


def cell_of(*answers: dict[str, Any]) -> MeasuredCell:
    """A cell of these answers, and one that failed."""
    same = {"cell": 0, "phase": "measure", "outcome": "ok", "model": "m", "input_tokens": 10.0}
    rows = [same | answer | {"sent_at": float(at), "prompt_id": f"p{at}"} for at, answer in enumerate(answers)]
    rows.append(same | {"outcome": "failed", "answered": None, "reasoning_tokens": 7.0, "sent_at": 99.0})
    return MeasuredCell("m", "m-1", "en_1-500", 4, "complete", None, [(0.0, 60.0)], read(pd.DataFrame(rows)).rows, 1)


def test_times_tokens_dollars_and_the_share_without_text() -> None:
    found = thinking_of(cell_of(*[TEXT] * 15, *[USED_UP] * 5), PRICE)
    assert found is not None and found.differ and found.answers == 20
    assert (found.ttft_s["n"], found.ttft_s["p50"], found.ttft_text_s["n"], found.ttft_text_s["p50"]) == (20, 0.2, 15, 1.2)
    assert found.reasoning_tokens_mean == (15 * 60 + 5 * 100) / 20 == 70
    assert found.reasoning_usd_mean == pytest.approx(70 * 10 / 1_000_000)
    assert (found.without_text["value"], found.without_text["n"]) == (0.25, 20)
    low, high = found.without_text["ci95"]
    assert low < 0.25 < high
    assert found.answered == {"text": 15, "reasoning_only": 5}


def test_what_is_not_told_is_null() -> None:
    found = thinking_of(cell_of(*[TEXT | {"reasoning_tokens": None}] * 3), None)
    assert found is not None
    assert (found.reasoning_tokens_mean, found.reasoning_usd_mean, found.without_text["value"]) == (None, None, 0.0)


def test_a_model_that_does_not_think_has_no_row() -> None:
    assert thinking_of(cell_of(*[PLAIN] * 20), PRICE) is None
    assert thinking_of(cell_of(), PRICE) is None


def shown(*found: Any) -> list[Any]:
    summary = {"thinking": [each.to_dict() for each in found]}
    study = SimpleNamespace(summary=summary, short=lambda name: name, level_heading="Users")
    return SECTIONS["thinking"].blocks(SimpleNamespace(study=study))  # type: ignore[arg-type]


def test_the_section_has_both_times_side_by_side() -> None:
    words, rows = shown(thinking_of(cell_of(*[TEXT] * 15, *[USED_UP] * 5), PRICE))
    assert isinstance(words, Text) and isinstance(rows, Table)
    cells = [cell.replace("\N{NARROW NO-BREAK SPACE}", " ") for cell in rows.rows[0]]
    assert cells[:4] == ["m, en_1-500", "4", "0.200 s", "1.20 s"]
    assert cells[6] == "70.0" and float(cells[7].removeprefix("$")) == 0.0007
    assert cells[8].startswith("25.0 % (")
    assert shown() == []


def test_where_the_first_token_is_text_the_times_are_said_to_be_the_same() -> None:
    answers = [PLAIN | {"reasoning_tokens": 5.0}] * 20
    _, rows = shown(thinking_of(cell_of(*answers), PRICE))
    assert rows.rows[0][3] == "the same"

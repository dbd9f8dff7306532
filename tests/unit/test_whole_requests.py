"""Attempts as the request that they are of: worked out by hand, row by row and record by record alike."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from fmbench.core.records import Record
from fmbench.core.retries import whole_request
from fmbench.core.table import read
from fmbench.core.whole_requests import attempts_in, whole_requests
from tests.unit.made import T0, failed, row

NO_HEALTH = pd.DataFrame()


def throttled(sent: float, **given: Any) -> dict[str, Any]:
    return failed(sent, "throttled_requests", 0.1, **given)


THREE = [
    throttled(0.0, seq=4, attempt=1, usd=None),
    throttled(0.5, seq=5, attempt=2, backoff_s=0.4, usd=0.25, phase="measure"),
    row(2.0, 1.0, seq=6, attempt=3, backoff_s=1.4, usd=0.5, phase="drain", intended_at=T0 + 1.9),
]
"""One request of three attempts, sent at 0, 0.5 and 2 s; the last one takes 1 s, 0.25 of it to its first content."""
OTHER = row(0.7, 0.3, user=1, seq=5, attempt=1, usd=0.125, intended_at=T0 + 0.6)


def test_three_attempts_are_one_request_from_the_first_sending_to_the_last_byte() -> None:
    rows = read(pd.DataFrame([*THREE, OTHER])).rows
    found = whole_requests(rows, planned=False)
    assert found.number("e2e_s").tolist() == pytest.approx([3.0, 0.3]) and found.number("ttft_s")[0] == pytest.approx(2.25)
    assert found.number("usd").tolist() == pytest.approx([0.75, 0.125])
    assert found.ok.tolist() == [True, True] and found.measured.tolist() == [True, True]
    assert attempts_in(rows).request.tolist() == [0, 0, 1, 0]


def test_in_an_open_loop_it_begins_at_the_planned_moment() -> None:
    rows = read(pd.DataFrame([OTHER, *THREE])).rows
    assert whole_requests(rows, planned=True).number("e2e_s").tolist() == pytest.approx([3.0, 0.4])
    single = read(pd.DataFrame([OTHER])).rows
    assert whole_requests(single, planned=True).number("ttft_s").tolist() == pytest.approx([0.075 + 0.1])
    assert whole_requests(single, planned=False) is single


def test_what_a_client_held_back_is_waited_too() -> None:
    held = row(1.0, 1.0, seq=0, attempt=1, backoff_s=0.75)
    assert whole_requests(read(pd.DataFrame([held])).rows, planned=False).number("e2e_s").tolist() == pytest.approx([1.75])


def test_a_load_process_counts_as_the_report_does() -> None:
    keep = Record.__dataclass_fields__
    records = [Record(**{name: value for name, value in made.items() if name in keep}) for made in THREE]
    whole = whole_request(records)
    rows = whole_requests(read(pd.DataFrame(THREE)).rows, planned=False)
    assert (whole.e2e_s, whole.ttft_s, whole.usd) == pytest.approx(
        (rows.number("e2e_s")[0], rows.number("ttft_s")[0], rows.number("usd")[0])
    )
    assert whole.phase == "measure" and whole.tpot_s == records[-1].tpot_s


def test_requests_without_a_second_attempt_are_the_records_themselves() -> None:
    rows = read(pd.DataFrame([row(0.0, seq=0), row(1.0, seq=1)])).rows
    assert whole_requests(rows, planned=False) is rows

"""A latency from sending hides how long a request waited to be sent; one from the planned moment does not.

Expected values are arithmetic by hand over constructed records: requests that are due a hundredth of a second apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fmbench.core.cells import measured_cells
from fmbench.core.open_loop import open_loop_of
from fmbench.core.statistics import describe
from fmbench.core.table import read

GAP_S = 0.01
Moments = NDArray[np.float64]


def loop(due: Moments, sent: Moments, took_s: Moments) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an open loop's cell says of itself, and its end-to-end latencies from sending."""
    records = pd.DataFrame(
        {"cell": 0, "model": "m", "bucket": "b", "concurrency": 50, "rate_per_min": 6000.0, "phase": "measure", "outcome": "ok"}
        | {"intended_at": due, "sent_at": sent, "ended_at": sent + took_s, "e2e_s": took_s, "ttft_s": took_s}
    )
    line = {"cell": 0, "model": "m", "bucket": "b", "concurrency": 50, "rate_per_min": 6000.0, "status": "complete"}
    line |= {"measure_at": float(due.min()), "drain_at": float((sent + took_s).max())}
    (cell,) = measured_cells(read(records), [line], {})
    found = open_loop_of(cell)
    assert found is not None
    return found, describe(cell.rows.number("e2e_s"))


def test_a_stall_that_holds_requests_back_is_in_the_latencies_from_the_planned_moment_alone() -> None:
    """6,000 requests in 60 s, each answered in 0.1 s. From 30 s on nothing can be sent for 2 s: 200 requests wait until 32 s.

    The k-th longest of them took 2.1 - 0.01 (k - 1) s from its moment. The 99th percentile of 6,000 lies at place 0.99 * 5,999 =
    5,939.01 counted from 0: a hundredth of the way from the 61st longest, 1.50 s, to the 60th, 1.51 s.
    """
    due = 30 + GAP_S * np.arange(-3000, 3000)
    sent = np.where((due >= 30) & (due < 32), 32.0, due)
    found, from_sending = loop(due, sent, np.full(6000, 0.1))
    assert from_sending["p99"] == pytest.approx(0.1)
    for latency in ("e2e_s", "ttft_s"):
        planned = found["from_intended"][latency]
        assert planned["p99"] == pytest.approx(1.5001)
        assert planned["p95"] == pytest.approx(0.1), "200 of 6,000 waited, which is 3.3 %"
        assert planned["mean"] == pytest.approx(0.1 + 200 * (2 + 0.01) / 2 / 6000)
    assert found["late"] in (199, 200), "the last of the 200 was 10 ms late, which is the edge of being late"
    assert found["lateness_max_s"] == pytest.approx(2.0)


def test_a_stall_that_holds_answers_back_is_in_both() -> None:
    """The same stall with room for all in flight: requests go out in time and are answered 0.1 s after the stall is over."""
    due = 30 + GAP_S * np.arange(-3000, 3000)
    took = np.where((due >= 30) & (due < 32), 32.1 - due, 0.1)
    found, from_sending = loop(due, due, took)
    assert from_sending["p99"] == pytest.approx(1.5001) == found["from_intended"]["e2e_s"]["p99"]
    assert (found["late"], found["lateness_p99_s"]) == (0, 0.0)


def test_the_published_example_of_coordinated_omission() -> None:
    """Gil Tene's, which wrk2 and HdrHistogram are explained with: 100 s of answers in 1 ms, then a system that stands for 100 s.

    A tester with one connection sees 10,000 answers of 1 ms and one of 100 s: a mean of 10.9 ms, and 99.99 % within 1 ms. Of the
    requests that were due, half took 1 ms and half of 100 s downwards in even steps: a mean of 25 s, and 99 % within 98 s.
    """
    due = GAP_S * np.arange(20_000)
    held = due >= 99.995
    one_by_one = np.where(held, 200.0, due)
    one_by_one[np.argmax(held)] = 100.0
    took = np.where(due == due[held][0], 100.0, 0.001)
    found, from_sending = loop(due, one_by_one, took)

    seen = np.append(np.full(10_000, 0.001), 100.0)
    assert describe(seen)["mean"] == pytest.approx(0.0109, abs=0.0001)
    assert from_sending["p50"] == from_sending["p90"] == from_sending["p99"] == pytest.approx(0.001)

    planned = found["from_intended"]["e2e_s"]
    assert planned["mean"] == pytest.approx(25.0, abs=0.01)
    assert planned["p50"] == pytest.approx(0.001, abs=0.01)
    assert planned["p90"] == pytest.approx(80.0, abs=0.02)
    assert planned["p95"] == pytest.approx(90.0, abs=0.02)
    assert planned["p99"] == pytest.approx(98.0, abs=0.02)

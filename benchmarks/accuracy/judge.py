"""A client's rows held against the endpoint's ledger, request by request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.accuracy.work import Done


@dataclass(frozen=True)
class Verdict:
    """CPU per content event, and how far the client's figures are from the ledger's."""

    cpu_us: float
    ttft_p50_ms: float
    ttft_p99_ms: float
    tpot_percent: float
    """The 99th percentile of the relative error of TPOT."""
    requests: int


def judge(done: Done, ledger: list[dict[str, Any]]) -> Verdict:
    """Compare by request id. Raises ``AssertionError`` when requests or events are missing on either side."""
    rows = {row["request_id"]: row for row in ledger}
    assert len(done.rows) == len(rows), f"{len(done.rows)} requests read, {len(rows)} in the ledger"
    ttft, tpot = [], []
    for row in done.rows:
        truth = rows[row.request_id]
        assert row.events == truth["stream_events"], f"{row.events} events read, {truth['stream_events']} written"
        if row.first_of_stream:
            continue
        ttft.append((row.first_ns - row.sent_ns) - (truth["first_content_ns"] - truth["received_ns"]))
        true_span = truth["content_ns"][-1] - truth["first_content_ns"]
        tpot.append((row.last_ns - row.first_ns) / true_span - 1)
    ttft_ms = np.abs(np.array(ttft)) / 1e6
    return Verdict(
        cpu_us=done.cpu_ns / done.events / 1e3,
        ttft_p50_ms=float(np.percentile(ttft_ms, 50)),
        ttft_p99_ms=float(np.percentile(ttft_ms, 99)),
        tpot_percent=float(np.percentile(np.abs(tpot), 99)) * 100,
        requests=len(ttft),
    )

"""What retries brought and what they cost: the first attempt and the whole request side by side, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fmbench.core.cells import MeasuredCell
from fmbench.core.money import total_usd
from fmbench.core.quantiles import Floats
from fmbench.core.statistics import describe, finite, share
from fmbench.core.table import Rows
from fmbench.core.whole_requests import attempts_in, tried_again, whole_requests

COMPARED = ("ttft_s", "e2e_s")


def retries_of(cell: MeasuredCell, asked: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An item of ``summary.json``'s ``retries``: of the requests whose first attempt belongs to the measured window.

    ``first`` and ``whole`` have ``ok_share``, ``ttft_s``, ``e2e_s`` (of those that were ok) and ``usd``: of first attempts as if
    nothing had been tried again, and of requests to their end, waits and failed attempts included. None where no retries were
    asked for (``asked``) and none are there.
    """
    if asked is None and not tried_again(cell.rows):
        return None
    attempts = attempts_in(cell.rows)
    begun = cell.rows.measured[attempts.first]
    of_request = np.bincount(attempts.request, minlength=len(begun))[begun]
    planned = cell.rate_per_min is not None
    firsts = whole_requests(cell.rows[attempts.first], planned)[begun]
    wholes = whole_requests(cell.rows, planned)[begun]
    first, whole = _side(firsts), _side(wholes)
    return {
        "model": cell.model,
        "bucket": cell.bucket,
        "concurrency": cell.concurrency,
        "rate_per_min": cell.rate_per_min,
        "mode": None if asked is None else asked.get("mode"),
        "requests": len(firsts),
        "attempts": int(of_request.sum()),
        "retried": int((of_request > 1).sum()),
        "recovered": int((~firsts.ok & wholes.ok).sum()),
        "by_attempts": {str(number): int((of_request == number).sum()) for number in np.unique(of_request)},
        "first": first,
        "whole": whole,
        "added_requests": float(of_request.sum()) / len(firsts) - 1 if len(firsts) else None,
        "added_usd": whole["usd"] / first["usd"] - 1 if first["usd"] and whole["usd"] is not None else None,
    }


def _side(rows: Rows) -> dict[str, Any]:
    ended, answered = rows[rows.ok | rows.failed], rows.answered
    latencies = {column: describe(answered.number(column), answered.common) for column in COMPARED}
    return {"ok_share": share(ended.ok, ended.common), **latencies, "usd": _usd(rows)}


def _usd(rows: Rows) -> float | None:
    """What it cost; None where an answer's price is not known."""
    usd: Floats = rows.number("usd")
    return None if np.isnan(usd[rows.ok]).any() else finite(total_usd(usd[~np.isnan(usd)]))

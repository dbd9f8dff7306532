"""What an open loop's cell shows besides: lateness, drops, and latency from the moment that the plan wanted.

A request that begins late has made somebody wait, which a latency from sending leaves out (coordinated omission): both are given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fmbench.core.cells import MeasuredCell
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.levels import MOST_DROPPED
from fmbench.core.quantiles import Floats
from fmbench.core.statistics import describe, finite

LATE_S = 0.01
"""A request that begins later than this after its moment is late."""


def falls_short(cell: MeasuredCell) -> bool:
    """Whether so much of an open loop's plan was dropped that what was sent is another, lower rate."""
    if not cell.dropped:
        return False
    begun = int((cell.rows.measured & ~(cell.rows.number("attempt") > 1)).sum())
    return cell.dropped > MOST_DROPPED * (begun + cell.dropped)


def open_loop_of(cell: MeasuredCell) -> dict[str, Any] | None:
    """``{rate_per_min, dropped, late, lateness_p50_s, lateness_p99_s, lateness_max_s, from_intended}``; None for a closed loop.

    ``from_intended`` has the cell's latencies from the plan's moment on, as ``describe`` gives them.
    """
    if cell.rate_per_min is None:
        return None
    counted = cell.rows[cell.rows.measured]
    lateness = counted.number("sent_at") - counted.number("intended_at")
    known = lateness[~np.isnan(lateness)]
    answered = counted[counted.ok]
    waited = answered.number("sent_at") - answered.number("intended_at")  # of an attempt: retries are told elsewhere
    return {
        "rate_per_min": cell.rate_per_min,
        "dropped": cell.dropped,
        "late": int((known > LATE_S).sum()),
        **{f"lateness_{name}_s": value for name, value in _spread(known).items()},
        "from_intended": {
            latency.column: describe(answered.number(latency.column) + waited, answered.blocks)
            for latency in LATENCIES
            if latency.from_sending
        },
    }


def _spread(known: Floats) -> dict[str, float | None]:
    if not len(known):
        return {"p50": None, "p99": None, "max": None}
    p50, p99 = np.quantile(known, (0.5, 0.99))
    return {"p50": finite(p50), "p99": finite(p99), "max": finite(known.max())}

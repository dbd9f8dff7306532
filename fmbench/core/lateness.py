"""How late the load processes were, measured on each request: from the arrival of its first content to its reading."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fmbench.core.table import Rows

KERNEL, MIXED, PROCESS = "kernel", "mixed", "process"
"""Whose clock said when first contents arrived: the kernel's of 99 in 100 or more, of some, or each when it was read."""
STAMPED_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long after its arrival the first content of a request was read, seconds, over ``requests`` of them.

    It is the load process's own. It is in no TTFT, and where the ``ends`` of answers are by the kernel's stamps, too, in no
    latency: then in the gaps between contents alone, and in when a user's next request goes out.
    """

    clock: str
    requests: int
    p50: float
    p95: float
    p99: float
    max: float
    ends: bool
    """Whether the ends of answers were stamped as well."""

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the summary."""
        return asdict(self)


def lateness_of(rows: Rows) -> Lateness | None:
    """The lateness of measured requests; None where the kernel stamped none."""
    counted = rows[rows.measured]
    arrived, read = counted.number("ttft_s"), counted.number("ttft_read_s")
    known = ~np.isnan(read)
    if not known.any():
        return None
    late = np.maximum(read[known] - arrived[known], 0.0)
    middle, p95, p99 = (float(value) for value in np.quantile(late, (0.5, 0.95, 0.99)))
    clock = KERNEL if known.sum() >= STAMPED_SHARE * (~np.isnan(arrived)).sum() else MIXED
    ends = ~np.isnan(counted.number("e2e_read_s"))
    stamped = clock == KERNEL and bool(ends.sum() >= STAMPED_SHARE * (~np.isnan(arrived) & counted.ok).sum())
    return Lateness(clock, int(known.sum()), middle, p95, p99, float(late.max()), stamped)

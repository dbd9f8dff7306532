"""The latencies: the record columns that cells are described by, and what each means. docs/metrics.md has the same, at length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Latency:
    """A duration of one request in seconds; less is better. ``key`` names it in objectives (``ttft_p95_s``)."""

    key: str
    column: str
    short: str
    """What tables and sentences call it."""
    title: str
    definition: str
    shown: tuple[float, ...]
    """The percentiles of the table of every cell."""
    rank: float
    """Its place among the others wherever latencies are listed."""
    decides: int
    """Which of several latencies decides between models: the one with the lowest number."""
    always_compared: tuple[float, ...]
    """The percentiles that every comparison of two runs tests."""
    timed_out: Literal["beyond", "beyond_unless_seen", "left_out"]
    """What a request that timed out says of it: that it is beyond any limit, the same unless it was seen before, or nothing."""
    drawn: bool = True
    """Whether it has pictures of its own; False for one that is judged and stated where it is asked for."""

    @property
    def heading(self) -> str:
        """What heads a column of it."""
        return self.short[0].upper() + self.short[1:]

    @property
    def from_sending(self) -> bool:
        """Whether it begins when the request is sent: then a timeout and a late load process are inside it."""
        return self.timed_out != "left_out"

    def of_request(self, value: float | None, ok: bool, timed_out: bool) -> float | None:
        """What counts as one request's latency: infinite where it timed out before this was seen; None where it has none."""
        if ok:
            return value
        if not timed_out or not self.from_sending:
            return None
        return value if self.timed_out == "beyond_unless_seen" and value is not None else math.inf


LATENCIES = (
    Latency(
        "ttft",
        "ttft_s",
        "TTFT",
        "Time to first token",
        "Seconds from when the request's bytes went to the socket to the first delta with content (text or reasoning).",
        shown=(50, 95, 99),
        rank=1,
        decides=2,
        always_compared=(50, 95),
        timed_out="beyond_unless_seen",
    ),
    Latency(
        "ttft_text",
        "ttft_text_s",
        "TTFT of text",
        "Time to first visible text",
        "Seconds from when the request's bytes went to the socket to the first visible text. An answer without text has none.",
        shown=(),
        rank=1.5,
        decides=4,
        always_compared=(),
        timed_out="beyond_unless_seen",
        drawn=False,
    ),
    Latency(
        "e2e",
        "e2e_s",
        "end to end",
        "End-to-end latency",
        "Seconds from when the request's bytes went to the socket to the last byte of the answer. Connecting is never inside.",
        shown=(50, 95, 99),
        rank=2,
        decides=1,
        always_compared=(50, 95),
        timed_out="beyond",
    ),
    Latency(
        "tpot",
        "tpot_s",
        "TPOT",
        "Time per output token",
        "(last content - first content) / (output tokens - 1), by the service's own count of tokens.",
        shown=(50,),
        rank=3,
        decides=3,
        always_compared=(50,),
        timed_out="left_out",
    ),
)
"""Every latency that is described, judged and compared; a new one is a new row here."""

BY_KEY = {latency.key: latency for latency in LATENCIES}

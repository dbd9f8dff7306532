"""The metrics: the record columns that cells are described by, and what each means. docs/metrics.md has the same, at length."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A duration of one request; smaller is better. ``key`` names it in objectives (``ttft_p95_s``)."""

    key: str
    column: str
    title: str
    definition: str


METRICS = (
    Metric(
        "ttft",
        "ttft_s",
        "Time to first token",
        "Seconds from when the request's bytes went to the socket to the first delta with content (text or reasoning).",
    ),
    Metric(
        "e2e",
        "e2e_s",
        "End-to-end latency",
        "Seconds from when the request's bytes went to the socket to the last byte of the answer.",
    ),
    Metric(
        "tpot",
        "tpot_s",
        "Time per output token",
        "(last content - first content) / (output tokens - 1), by the service's own count of tokens.",
    ),
)
"""Every latency that is described, judged and compared; a new one is a new row here."""

BY_KEY = {metric.key: metric for metric in METRICS}

"""The report's own words, in a sentence each; docs/metrics.md has them at length, with formulas."""

from __future__ import annotations

from fmbench.report.blocks import Block, table
from fmbench.report.section import Material, Section

DEFINITIONS = [
    ["Transaction", "One request that got a whole answer: the stream's end and the service's usage were both seen."],
    ["Users", "Requests kept in flight at a time: each user sends its next request when the last one is over."],
    [
        "TTFT",
        "Time to first token: from the request's bytes going to the socket to the first delta with content (text or reasoning).",
    ],
    ["End to end", "From the request's bytes going to the socket to the last byte of the answer. Connecting is never inside."],
    ["TPOT", "Time per output token: (last content - first content) / (output tokens - 1), by the service's own count."],
    [
        "p95",
        "95 % of the answers were at least as fast. From pooled raw samples, never from other percentiles; "
        "stated from 72 answers on (p99: from 368).",
    ],
    [
        "95 % interval",
        "Where the true figure lies, but for one case in twenty. Requests in one window share the server's state, "
        "and intervals are widened for that.",
    ],
    [
        "Transactions a minute",
        "Answers in the measured window, each counted by its share inside it, by the window's length.",
    ],
    [
        "Within objectives",
        "Goodput: of all requests sent, failures included, the share that was answered within every latency objective.",
    ],
    [
        "Measured window",
        "The part of a cell after its warm-up and before its drain. Requests belong to the cell they were sent in.",
    ],
    [
        "Met, not met, undecided",
        "Met when the 95 % interval lies on the right side of the limit, not met when on the wrong one, "
        "undecided when it holds the limit.",
    ],
    ["$ / 10,000", "What the measured requests cost, failed ones that were charged included, for 10,000 answers."],
]


def blocks(material: Material) -> list[Block | None]:
    """The report's own words, in a sentence each; docs/metrics.md has them at length, with formulas."""

    return [table(["Word", "Meaning"], DEFINITIONS, left=(0, 1))]


SECTION = Section("Definitions", blocks)

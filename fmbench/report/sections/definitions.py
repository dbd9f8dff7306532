"""The report's own words, in a sentence each; docs/metrics.md has them at length, with formulas.

What is said of figures and of limits comes from the figures themselves.
"""

from __future__ import annotations

from fmbench.core.error_limits import fewest
from fmbench.core.figures.cost import COST
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.objectives import Objective
from fmbench.core.samples import PERCENTILES, samples_needed
from fmbench.report.blocks import Block, table
from fmbench.report.numbers import count, listed
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.words import goodput_words, objective_words


def blocks(material: Material) -> list[Block | None]:
    """Words, and how each limit of this run is judged."""
    limits = [[objective_words(one.name, one.limit), _judged(one)] for one in material.study.limits]
    return [
        table(["Word", "Meaning"], _words(material.study), left=(0, 1)),
        table(["Objective", "How it is judged; else it is undecided"], limits, left=(0, 1)) if limits else None,
    ]


def _words(study: Study) -> list[list[str]]:
    floors = listed([f"p{percent} from {count(samples_needed(percent / 100))}" for percent in PERCENTILES])
    return [
        ["Transaction", "One request that got a whole answer: the stream's end and the service's usage were both seen."],
        _level(study),
        *([latency.heading, f"{latency.title}. {latency.definition}"] for latency in LATENCIES),
        [
            "p95",
            "95 % of the answers were at least as fast. From pooled raw samples, never from other percentiles; "
            f"stated from enough answers on: {floors}.",
        ],
        [
            "95 % interval",
            "Where the true figure lies, but for one case in twenty. Requests in one window share the server's state, "
            "and intervals are widened for that.",
        ],
        [TRANSACTIONS.heading, TRANSACTIONS.definition],
        [ERROR_RATE.heading, ERROR_RATE.definition],
        [
            "Within objectives",
            f"Goodput. {goodput_words(study)}",
        ],
        [
            "Measured window",
            "The part of a cell after its warm-up and before its drain. Requests belong to the cell they were sent in.",
        ],
        [COST.heading, COST.definition],
    ]


def _level(study: Study) -> list[str]:
    """What a level of the study is."""
    if study.open_loop:
        meaning = "Requests begin by a plan of moments at this mean rate, whatever the answers do. "
        meaning += "Objectives are judged from the planned moment on: a request that begins late has made somebody wait."
        return [study.level_heading, meaning]
    thinking = (study.config.get("load") or {}).get("think_time_s")
    after = "a time to think after the last one is over" if thinking else "when the last one is over"
    kept = "Who send requests at the same time" if thinking else "Requests kept in flight at a time"
    return [study.level_heading, f"{kept}: each user sends its next request {after}."]


def _judged(objective: Objective) -> str:
    judged = objective.figure.judged
    said = f"{judged[:1].upper()}{judged[1:]}"
    needed = fewest(objective.limit) if objective.figure is ERROR_RATE else None
    return f"{said}; it takes {count(needed)} requests without a failure." if needed else f"{said}."


SECTION = Section("Definitions", blocks)

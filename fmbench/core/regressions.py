"""Rules of ``--fail-on``: which changes from one run to the next are a regression; and the comparison as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fmbench.core.compare import IN_POINTS, STANDARD, Change, Compared, Run, compare_cells, run_of
from fmbench.core.failures import UnusableInput
from fmbench.core.metrics import BY_KEY
from fmbench.core.quantiles import PERCENTILES
from fmbench.core.records import SCHEMA_VERSION

FIGURES = (
    *(f"{key}_{figure}" for key in BY_KEY for figure in ("mean", *(f"p{percent}" for percent in PERCENTILES))),
    "transactions_per_minute",
    "error_rate",
    "usd_per_10k",
    "quality",
)
"""What a rule may be about."""

BROKEN, KEPT, POSSIBLE, UNKNOWN = "broken", "kept", "not_ruled_out", "unknown"
_RULE = re.compile(r"\s*(\w+?)(?:_s)?\s+([+-])\s*(\d+(?:\.\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Rule:
    """``ttft_p95 +10%``: the figure may not rise (or fall) by more than ``limit``, a share of A or, without %, its own unit."""

    text: str
    figure: str
    rise: bool
    limit: float
    relative: bool

    def excess(self, change: float) -> float:
        """How far a change goes beyond the rule; negative within it."""
        return (change if self.rise else -change) - self.limit


def parse_rule(text: str) -> Rule:
    """A rule from the command line. Raises ``UnusableInput`` with the cure."""
    match = _RULE.fullmatch(text)
    if match is None:
        raise UnusableInput(f'--fail-on "{text}": is no rule; write a figure, a sign and a limit, such as "ttft_p95 +10%".')
    if match[1] not in FIGURES:
        raise UnusableInput(f'--fail-on "{text}": there is no figure {match[1]}; the figures are {", ".join(FIGURES)}.')
    relative = match[4] == "%"
    return Rule(text, match[1], match[2] == "+", float(match[3]) / (100 if relative else 1), relative)


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a rule stands in one cell: broken (beyond the limit, and more than noise), kept, not_ruled_out or unknown."""

    rule: Rule
    cell: Compared
    status: str
    change: Change | None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the comparison's JSON."""
        key = {"model": self.cell.model, "bucket": self.cell.bucket, "concurrency": self.cell.concurrency}
        return {
            "rule": self.rule.text,
            **key,
            "status": self.status,
            "change": None if self.change is None else self.change.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of a comparison of run B with run A."""

    a: Run
    b: Run
    cells: list[Compared]
    rulings: list[Ruling]

    @property
    def regression(self) -> bool:
        """Whether a rule is broken in any cell."""
        return any(ruling.status == BROKEN for ruling in self.rulings)

    @property
    def only_in_a(self) -> list[tuple[str, str, int]]:
        """Completed cells that run B has not."""
        return [key for key in self.a.figures if key not in self.b.figures]

    @property
    def only_in_b(self) -> list[tuple[str, str, int]]:
        """Completed cells that run A has not."""
        return [key for key in self.b.figures if key not in self.a.figures]

    @property
    def unlike(self) -> list[str]:
        """What else differs between the two runs and could be the reason: sentences."""
        return list(_unlike(self.a.manifest, self.b.manifest))

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run_a": self.a.run_id,
            "run_b": self.b.run_id,
            "regression": self.regression,
            "cells": [cell.to_dict() for cell in self.cells],
            "rules": [ruling.to_dict() for ruling in self.rulings],
            "only_in_a": [list(key) for key in self.only_in_a],
            "only_in_b": [list(key) for key in self.only_in_b],
            "unlike": self.unlike,
        }


RunData = tuple[pd.DataFrame, Mapping[str, Any]]
"""Records and manifest of a run."""


def compare(a: RunData, b: RunData, fail_on: Sequence[str] = ()) -> Comparison:
    """Compare run B with run A, cell by cell, and hold the changes against the rules. Raises ``UnusableInput`` for a bad rule."""
    rules = [parse_rule(text) for text in fail_on]
    first, second = run_of(*a), run_of(*b)
    asked = tuple(dict.fromkeys([*STANDARD, *(rule.figure for rule in rules)]))
    cells = compare_cells(first, second, asked)
    return Comparison(first, second, cells, [_ruling(rule, cell) for rule in rules for cell in cells])


def _ruling(rule: Rule, cell: Compared) -> Ruling:
    change = next((item for item in cell.changes if rule.figure in (item.figure, item.asked)), None) or _stand_in(rule, cell)
    if change is None:
        return Ruling(rule, cell, UNKNOWN, None)
    moved = _moved(rule, change, change.change)
    if moved is None:
        return Ruling(rule, cell, UNKNOWN, change)
    if rule.excess(moved) > 0:
        return Ruling(rule, cell, BROKEN if change.differs else POSSIBLE, change)
    ends = [_moved(rule, change, end) for end in change.ci95 or ()]
    reaches = any(end is not None and rule.excess(end) > 0 for end in ends)
    return Ruling(rule, cell, POSSIBLE if reaches else KEPT, change)


def _stand_in(rule: Rule, cell: Compared) -> Change | None:
    """The highest percentile of the same latency that the cell could state, when it is too small for the one asked for."""
    metric, _, figure = rule.figure.partition("_")
    if metric not in BY_KEY or not figure.startswith("p"):
        return None
    below = [change for change in cell.changes if change.figure.startswith(f"{metric}_p")]
    return max((item for item in below if int(item.figure.split("_p")[1]) < int(figure[1:])), key=_percent, default=None)


def _percent(change: Change) -> int:
    return int(change.figure.split("_p")[1])


def _moved(rule: Rule, change: Change, by: float | None) -> float | None:
    """A change in the unit of the rule: a share of A, or the figure's own."""
    if by is None:
        return None
    in_points = change.figure in IN_POINTS
    if rule.relative:
        return by if not in_points else (by / change.a if change.a else (0.0 if by <= 0 else float("inf")))
    return by if in_points else by * change.a


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    said = []
    for key, what in (("region", "region"), ("endpoint", "endpoint"), ("seed", "seed"), ("prompts", "prompts")):
        if a.get(key) != b.get(key):
            values = f": {a.get(key)} and {b.get(key)}" if key != "prompts" else ""
            said.append(f"The runs differ in their {what}{values}.")
    sections = [(run.get("config") or {}) for run in (a, b)]
    for key in ("models", "inference", "dataset", "cache"):
        if sections[0].get(key) != sections[1].get(key):
            said.append(f"The runs differ in their configuration's {key}.")
    return said

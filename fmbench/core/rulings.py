"""How the rules of ``--fail-on`` stand in a comparison of two runs: each figure tested against its rule's limit, alone.

A rule is **broken** in a cell where the change is shown to be beyond the limit (a one-sided test at 5 %, corrected over the cells
by Holm), **passed** where it is shown to be within (at 5 %), else **undecided**, with the requests that it would take.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from scipy import special

from fmbench.core.cells import Key
from fmbench.core.comparison import Change, Compared, Run, RunData, compare_cells, run_of
from fmbench.core.contrast import SIGNIFICANT
from fmbench.core.figures.percentiles import Percentile
from fmbench.core.figures.registry import ALWAYS_COMPARED, of_rule
from fmbench.core.judging import MOST_TO_ASK_FOR
from fmbench.core.messages import Message
from fmbench.core.multiplicity import holm
from fmbench.core.records import SCHEMA_VERSION
from fmbench.core.rules import BROKEN, PASSED, UNDECIDED, UNKNOWN, Rule, parse_rule


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a rule stands in one cell: broken, passed, undecided or unknown (there is no such figure)."""

    rule: Rule
    cell: Compared
    status: str
    change: Change | None
    p_beyond: float | None = None
    """The chance of what was seen, if the change were within the limit."""
    requests_needed: int | None = None
    """While undecided: how many more a run, at what was seen; None when no number would do."""

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the comparison's JSON."""
        key = {"model": self.cell.model, "bucket": self.cell.bucket, "concurrency": self.cell.concurrency}
        return {
            "rule": self.rule.text,
            **key,
            "status": self.status,
            "p_beyond": self.p_beyond,
            "requests_needed": self.requests_needed,
            "change": None if self.change is None else self.change.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of a comparison of B, a run or several, with A."""

    a: Run
    b: Run
    cells: list[Compared]
    rulings: list[Ruling]
    rules: tuple[Rule, ...] = ()
    """All that were asked for, also where there is no cell to hold them against."""

    @property
    def regression(self) -> bool:
        """Whether a rule is broken in any cell."""
        return any(ruling.status == BROKEN for ruling in self.rulings)

    @property
    def undecided(self) -> bool:
        """Whether a rule is neither broken nor passed in some cell, or there is none that both runs have."""
        return any(ruling.status in (UNDECIDED, UNKNOWN) for ruling in self.rulings) or bool(self.rules and not self.cells)

    @property
    def one_hour(self) -> bool:
        """Whether a release cannot be told from an hour: a side was measured in one stretch of time."""
        return self.a.one_hour or self.b.one_hour

    @property
    def only_in_a(self) -> list[Key]:
        """Completed cells that B has not."""
        return [key for key in self.a.results if key not in self.b.results]

    @property
    def only_in_b(self) -> list[Key]:
        """Completed cells that A has not."""
        return [key for key in self.b.results if key not in self.a.results]

    @property
    def unlike(self) -> list[Message]:
        """What else differs between the two runs and could be the reason."""
        return list(_unlike(self.a.manifest, self.b.manifest))

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON, but for ``unlike``, which the report puts into words."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run_a": self.a.run_id,
            "run_b": self.b.run_id,
            "runs_a": self.a.runs,
            "runs_b": self.b.runs,
            "regression": self.regression,
            "undecided": self.undecided,
            "release_or_hour": self.one_hour,
            "cells": [cell.to_dict() for cell in self.cells],
            "rules": [ruling.to_dict() for ruling in self.rulings],
            "only_in_a": [_named(key) for key in self.only_in_a],
            "only_in_b": [_named(key) for key in self.only_in_b],
            "unlike": self.unlike,
        }


def compare(
    a: RunData | Sequence[RunData], b: RunData | Sequence[RunData], fail_on: Sequence[str] = (), smallest: float | None = None
) -> Comparison:
    """Compare B with A, each a run or the runs of a population, cell by cell, and hold the changes against the rules.

    ``smallest``: the least change that matters, as a share. Raises ``UnusableInput`` for a bad rule.
    """
    rules = [parse_rule(text) for text in fail_on]
    asked = tuple(dict.fromkeys([*ALWAYS_COMPARED, *(rule.asked for rule in rules)]))
    first, second = (run_of([side] if isinstance(side, tuple) else side, asked) for side in (a, b))
    cells = compare_cells(first, second, asked, smallest)
    return Comparison(first, second, cells, [ruling for rule in rules for ruling in rulings_of(rule, cells)], tuple(rules))


def rulings_of(rule: Rule, cells: Sequence[Compared]) -> list[Ruling]:
    """How one rule stands in each cell."""
    tested = [_tested(rule, cell) for cell in cells]
    corrected = holm([None if found is None else found[1] for found in tested])
    return [_ruling(rule, cell, found, beyond) for cell, found, beyond in zip(cells, tested, corrected, strict=True)]


def _ruling(rule: Rule, cell: Compared, found: tuple[Change, float, float] | None, beyond: float | None) -> Ruling:
    if found is None or beyond is None:
        return Ruling(rule, cell, UNKNOWN, None)
    change, alone, within = found
    if beyond < SIGNIFICANT:
        return Ruling(rule, cell, BROKEN, change, beyond)
    ruling = Ruling(rule, cell, PASSED if within < SIGNIFICANT else UNDECIDED, change, beyond)
    return ruling if ruling.status == PASSED else replace(ruling, requests_needed=_more(change, alone, within, beyond / alone))


def _more(change: Change, beyond: float, within: float, times: float) -> int | None:
    """How many more requests would decide: what was seen grows more sure with their square root."""
    seen = -float(special.ndtri(max(min(beyond, within), 1e-12)))
    wanted = -float(special.ndtri(SIGNIFICANT / (max(times, 1.0) if beyond < within else 1.0)))
    count = min(change.n_a, change.n_b)
    total = count * (wanted / seen) ** 2 if seen > 0.01 else math.inf
    return None if total > MOST_TO_ASK_FOR else max(1, math.ceil(total - count))


def _tested(rule: Rule, cell: Compared) -> tuple[Change, float, float] | None:
    """The change that a rule is about, the chance of it within the limit, and the chance of it beyond."""
    change = next((item for item in cell.changes if rule.figure in (item.figure, item.asked)), None) or _stand_in(rule, cell)
    if change is None or change.contrast is None:
        return None
    limit = _limit(rule, change)
    if limit is None:
        return None
    above, below = change.contrast.chances(limit)
    return (change, above, below) if rule.rise else (change, below, above)


def _limit(rule: Rule, change: Change) -> float | None:
    """The limit as a change of the figure: a share of A, or points."""
    signed = rule.limit if rule.rise else -rule.limit
    if of_rule(change.figure).in_points:
        return signed * change.a if rule.relative else signed
    ratio = signed if rule.relative else signed / change.a if change.a else None
    return None if ratio is None else max(ratio, -1 + 1e-9)


def _stand_in(rule: Rule, cell: Compared) -> Change | None:
    """The highest percentile of the same latency that the cell could state, when it is too small for the one asked for."""
    asked = rule.asked
    if not isinstance(asked, Percentile):
        return None
    figures = ((of_rule(change.figure), change) for change in cell.changes)
    below = [
        (figure.percent, change)
        for figure, change in figures
        if isinstance(figure, Percentile) and figure.latency == asked.latency and figure.percent < asked.percent
    ]
    return max(below, key=lambda pair: pair[0])[1] if below else None


@dataclass(frozen=True, slots=True)
class UnlikeValue(Message):
    """Something of the manifests that differs, with both values."""

    says: ClassVar[str] = "The runs differ in their {what}: {a} and {b}."
    what: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Unlike(Message):
    """Something that differs and is too long to show."""

    says: ClassVar[str] = "The runs differ in their {what}."
    what: str


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Message]:
    for key in ("region", "endpoint", "seed"):
        if a.get(key) != b.get(key):
            yield UnlikeValue(key, str(a.get(key)), str(b.get(key)))
    if a.get("prompts") != b.get("prompts"):
        yield Unlike("prompts")
    sections = [(run.get("config") or {}) for run in (a, b)]
    for key in ("models", "inference", "dataset", "cache"):
        if sections[0].get(key) != sections[1].get(key):
            yield Unlike(f"configuration's {key}")


def _named(key: Key) -> list[str | int | float | None]:
    """A cell's key in JSON: the rate is there only where the loop was open."""
    return list(key if key[3] is not None else key[:3])

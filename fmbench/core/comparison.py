"""Two runs, cell by cell: what changed, by how much, whether it is more than noise, and which rules it breaks.

Cells are matched by model, bucket and concurrency. For each figure:

- the **change** from A to B, as a share of A (an error rate: in points), with its 95 % interval (MOVER on the logarithms);
- a **permutation test** on batches of requests (``core.permutation``);
- **Holm's correction** over all tests of the comparison (Scandinavian Journal of Statistics 6, 1979): a difference is claimed
  when its corrected p is under 0.05. Where none is claimed, the interval says which differences are ruled out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import pandas as pd

from fmbench.core.cells import measured_cells
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.percentiles import Percentile
from fmbench.core.figures.registry import ALWAYS_COMPARED, of_rule
from fmbench.core.intervals import Interval, difference_interval
from fmbench.core.messages import Message
from fmbench.core.permutation import holm, permutation_test
from fmbench.core.records import SCHEMA_VERSION
from fmbench.core.results import CellResult, result_of
from fmbench.core.rules import BROKEN, KEPT, POSSIBLE, UNKNOWN, Rule, parse_rule
from fmbench.core.table import read

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as its folder holds it."""

    run_id: str
    manifest: Mapping[str, Any]
    results: dict[tuple[str, str, int], CellResult]


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one cell in both runs. ``change`` is (B - A) / A, or B - A of an error rate; None when A is 0."""

    figure: str
    a: float
    b: float
    n_a: int
    n_b: int
    change: float | None
    ci95: list[float] | None
    p: float | None
    p_holm: float | None = None
    asked: str | None = None
    """The figure that was asked for, when the sample is too small for it and this one stands in."""

    @property
    def differs(self) -> bool:
        """Whether the difference is more than noise."""
        return self.p_holm is not None and self.p_holm < SIGNIFICANT

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``same`` (no difference is shown)."""
        if not self.differs or self.a == self.b:
            return "same"
        return "worse" if (self.b > self.a) == of_rule(self.figure).less_is_better else "better"

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the comparison's JSON."""
        return asdict(self) | {"verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Compared:
    """One cell of both runs."""

    model: str
    bucket: str
    concurrency: int
    changes: list[Change] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the comparison's JSON."""
        key = {"model": self.model, "bucket": self.bucket, "concurrency": self.concurrency}
        return {**key, "changes": [change.to_dict() for change in self.changes]}


def run_of(records: pd.DataFrame, manifest: Mapping[str, Any], figures: Sequence[Figure] = ()) -> Run:
    """A run made ready to compare: ``records`` with the columns of ``table.COLUMNS``."""
    percents: dict[str, list[float]] = {}
    for figure in figures:
        if isinstance(figure, Percentile):
            percents.setdefault(figure.latency.column, []).append(figure.percent)
    cells = measured_cells(read(records), manifest.get("cells") or [], {})
    complete = {cell.key: result_of(cell, [], "", pd.DataFrame(), percents) for cell in cells if cell.complete}
    return Run(str(manifest.get("run_id")), manifest, complete)


def compare_cells(a: Run, b: Run, figures: Sequence[Figure] = ALWAYS_COMPARED) -> list[Compared]:
    """Every cell that both runs completed, with the changes of ``figures``, Holm-corrected over all of them."""
    shared = [key for key in a.results if key in b.results]
    found = [Compared(*key, _changes(a.results[key], b.results[key], figures)) for key in shared]
    corrected = iter(holm([change.p for cell in found for change in cell.changes]))
    return [replace(cell, changes=[replace(change, p_holm=next(corrected)) for change in cell.changes]) for cell in found]


def _changes(a: CellResult, b: CellResult, figures: Sequence[Figure]) -> list[Change]:
    made = [_change(figure, a, b) for figure in figures]
    seen: dict[str, Change] = {}
    for change in made:
        if change is not None:
            seen.setdefault(change.figure, change)
    return list(seen.values())


def _change(asked: Figure, a: CellResult, b: CellResult) -> Change | None:
    """The change of one figure; a percentile that a sample is too small for gives way to the highest one that both can state."""
    figure = asked.stated(a.row, b.row)
    if figure is None:
        return None
    (value_a, of_a), (value_b, of_b) = figure.interval(a.row), figure.interval(b.row)
    if value_a is None or value_b is None:
        return None
    change, interval = _relative(figure, value_a, of_a, value_b, of_b)
    return Change(
        figure.rule,
        value_a,
        value_b,
        figure.count(a.row),
        figure.count(b.row),
        change,
        interval,
        permutation_test(a, b, figure),
        asked=None if figure == asked else asked.rule,
    )


def _relative(
    figure: Figure, a: float, of_a: Interval | None, b: float, of_b: Interval | None
) -> tuple[float | None, list[float] | None]:
    """The change and its interval: in points, or as a share of A by way of the logarithms."""
    ends = None if of_a is None or of_b is None else (of_a, of_b)
    if figure.in_points:
        return b - a, None if ends is None else list(difference_interval(b, ends[1], a, ends[0]))
    if a <= 0 or b <= 0:
        return None, None
    if ends is None or min(ends[0][0], ends[1][0]) <= 0:
        return b / a - 1, None
    logs: tuple[Interval, ...] = tuple((math.log(low), math.log(high)) for low, high in ends)
    low, high = difference_interval(math.log(b), logs[1], math.log(a), logs[0])
    return b / a - 1, [math.expm1(low), math.expm1(high)]


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
        return [key for key in self.a.results if key not in self.b.results]

    @property
    def only_in_b(self) -> list[tuple[str, str, int]]:
        """Completed cells that run A has not."""
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
    asked = tuple(dict.fromkeys([*ALWAYS_COMPARED, *(rule.asked for rule in rules)]))
    first, second = run_of(*a, asked), run_of(*b, asked)
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


def _moved(rule: Rule, change: Change, by: float | None) -> float | None:
    """A change in the unit of the rule: a share of A, or the figure's own."""
    if by is None:
        return None
    in_points = of_rule(change.figure).in_points
    if rule.relative:
        return by if not in_points else (by / change.a if change.a else (0.0 if by <= 0 else float("inf")))
    return by if in_points else by * change.a


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

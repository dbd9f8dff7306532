"""What a figure is: its name, unit and direction, and how it is read off a cell, judged, decided early, compared and tested."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from fmbench.core.messages import Message
from fmbench.core.units import SECONDS, Unit

if TYPE_CHECKING:
    from fmbench.core.cells import MeasuredCell
    from fmbench.core.contrast import Contrast
    from fmbench.core.intervals import Interval
    from fmbench.core.looks import Counts
    from fmbench.core.scores import Quality
    from fmbench.core.sequential import Evidence
    from fmbench.core.table import Rows

Measured = tuple[float, tuple[float, float]]
"""A figure and its 95 % interval."""
CellRow = Mapping[str, Any]
"""A cell of the summary."""

MET, NOT_MET, UNDECIDED = "met", "not_met", "undecided"


@dataclass(frozen=True, slots=True)
class Difference:
    """How the difference of two cells is said: one ``is`` so much ``slower`` or ``faster`` than the other."""

    verb: str
    worse: str
    better: str


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a cell has no value of a figure."""

    reason: Literal["none_seen", "too_few", "nothing_answered", "price_unknown"]
    needed: int = 0
    seen: int = 0


Bound = Literal["positive", "share", "seconds"]
"""What a limit may be: above 0; from 0 to 1; above 0 and at most a day."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How an objective stands in one cell. ``by``: how far its value is beyond the limit, as a share of it."""

    objective: str
    limit: float
    status: str
    value: float | None = None
    ci95: list[float] | None = None
    by: float | None = None
    requests_needed: int | None = None
    """How many more it would take, at what was seen so far; None when decided, or when no number would do."""
    why: Message | None = None
    """Why nothing can be said, when it is not the number of requests."""
    within: float | None = None
    """For a latency: the share of the answers within the limit."""
    upper: float | None = None
    """The bound that decides a limit that may not be passed: the value is at most so much. None where ``lower`` decides."""
    lower: float | None = None
    p: float | None = None
    """The chance of what was seen, if the limit were just not kept; small when it is clearly met."""

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the summary."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one cell has to be judged by: its measured requests in the order of time, and its figures as the summary has them."""

    rows: Rows
    row: CellRow
    quality: Quality | None = None


@dataclass(frozen=True, kw_only=True)
class Figure(ABC):
    """One figure of a cell. A kind of figure is a subclass; each figure is an instance of one in the registry."""

    key: str
    """Its name in the summary (``ttft_p95_s``); with ``objective`` and ``rule`` the only names it has."""
    unit: Unit
    less_is_better: bool
    title: str
    """What tables and sentences call it: ``TTFT p95``, ``cost``."""
    heading: str
    """What heads a column of it: ``TTFT p95``, ``$ / 10,000``."""
    definition: str
    columns: tuple[str, ...]
    """The record columns that it is made of."""
    rank: float
    """Its place among the others wherever figures are listed."""
    difference: Difference
    objective: str | None = None
    """Its key among the objectives; None when no limit can be set on it."""
    bound: Bound = "positive"
    default: float | None = None
    """The limit that holds when none is set."""
    always_compared: bool = False
    """Whether every comparison of two runs tests it; else only when a rule names it."""
    in_points: bool = False
    """Whether its change is B - A, and not (B - A) / A."""
    samples_needed: int = 2
    judged: str = ""
    """When a limit on it is met, and when it is not: what ``judge`` does, in a sentence for the reader."""
    takes: str | None = None
    """The switch of the configuration without which it is not measured."""

    @property
    def rule(self) -> str:
        """What it is called in comparisons and ``--fail-on`` rules."""
        return self.key.removesuffix("_s") if self.unit is SECONDS else self.key

    @abstractmethod
    def interval(self, row: CellRow) -> tuple[float | None, Interval | None]:
        """The value and its 95 % interval in a cell of the summary; None where there is none."""

    def count(self, row: CellRow) -> int:
        """How many requests of the cell it is of."""
        return int(row["ok"])

    def absent(self, row: CellRow) -> Absent | None:
        """Why a cell has no value; None where there is nothing to say."""
        return None

    def measured(self, row: CellRow) -> Measured | None:
        """The value with an interval, of no width where none is known; None where it is not known."""
        value, ends = self.interval(row)
        return None if value is None else (value, ends or (value, value))

    def better(self, row: CellRow) -> float:
        """Sorts better cells first, and those without the figure last."""
        value, _ = self.interval(row)
        return float("inf") if value is None else value if self.less_is_better else -value

    def judge(self, limit: float, sample: Sample) -> Judgement:
        """How a limit on it stands in the cell that ``sample`` is of."""
        raise NotImplementedError(f"no limit can be set on {self.key}")

    def evidence(self, limit: float, counts: Counts) -> Evidence | None:
        """What the counts of a cell that is being measured say about a limit; None when no more requests would tell.

        Of a figure that cannot be told from counts: nothing. The window goes to its cap, and the report judges it.
        """
        from fmbench.core.sequential import NOTHING

        return NOTHING

    def stated(self, a: CellRow, b: CellRow) -> Figure | None:
        """Itself, or what stands in for it where a cell is too small for it; None when nothing does."""
        return self

    @abstractmethod
    def contrast(self, a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Contrast | None:
        """How far it is apart in a cell of two runs, or of the runs of two populations; None when that cannot be said."""


class UnknownFigure(LookupError):
    """There is no figure of that name."""


def interval_of(row: CellRow, key: str) -> tuple[float | None, Interval | None]:
    """A figure that stands in the summary as ``key`` beside ``key_ci95``."""
    ends = row[f"{key}_ci95"]
    return row[key], (ends[0], ends[1]) if ends else None

"""The highest level that meets all objectives, found instead of guessed: what to measure next, and when the answer is known.

1. **Doubling** from the lowest level until one does not meet.
2. **Bisection** between the highest level that met and the lowest that did not (in the ratio's middle), until they are as near as
   the tolerance. Noise decides nothing for good: what a level shows adds up over all its visits.
3. **Hold**: the found level, and the next one above, are measured until both are shown, or as long as a level may be. A level
   that does not hold is given up, and the search goes on below it.

The evidence is anytime-valid (``core.sequential``): a level ends as soon as it has shown enough. Steps that only give the
direction ask for less than what is claimed in the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from fmbench.core.sequential import NOTHING, Evidence

Purpose = Literal["doubling", "bisecting", "holding"]
FINEST = 0.5
"""Bisection goes on to this share of the tolerance, so that noise at its last step does not cost the whole of it."""
DIRECTION = 0.1
"""The chance of error at which a step of doubling or bisection gives the direction."""
MOST_STEPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpec:
    """What is asked for. Levels lie between ``lowest`` and ``highest``; whole numbers where ``whole`` (users are)."""

    lowest: float
    highest: float
    tolerance: float = 0.1
    """How far the limit may be off, as a share of it."""
    confidence: float = 0.95
    most_requests: int = 4000
    """At one level, over all its visits: what is not shown by then is too near the limit to tell."""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Level:
    """A step: measure ``level`` until ``enough`` says so, or ``requests`` more were measured."""

    level: float
    purpose: Purpose
    requests: int
    tail: float
    earlier: Evidence = NOTHING
    """What earlier visits of the level have shown."""

    def enough(self, evidence: Evidence) -> bool:
        """Whether what this visit has shown so far, with what earlier ones did, ends it."""
        return (self.earlier + evidence).status(self.tail) is not None


@dataclass(frozen=True, slots=True)
class Step:
    """What a visit brought."""

    level: float
    purpose: Purpose
    requests: int
    met: bool | None
    """By all that the level has shown so far; None: undecided."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer. ``limit`` None: not even the lowest level meets the objectives. ``interval``: the highest level that is shown
    to meet (0: none is), and the lowest that is shown not to (None: none up to the highest)."""

    limit: float | None
    interval: tuple[float, float | None]
    requests: int
    grid_requests: int
    steps: tuple[Step, ...]


@dataclass(slots=True)
class _Known:
    """All that one level has shown."""

    evidence: Evidence = NOTHING
    requests: int = 0
    visits: int = 0

    @property
    def leans(self) -> bool:
        """Towards meeting: as shown, or else as estimated."""
        shown = self.evidence.status(DIRECTION)
        return self.evidence.lean >= 0 if shown is None else shown


@dataclass(slots=True)
class Search:
    """Ask ``next()`` what to measure, tell ``observe()`` what it showed, until ``next()`` is ``Found``. Deterministic."""

    spec: SearchSpec
    _known: dict[float, _Known] = field(default_factory=dict)
    _steps: list[Step] = field(default_factory=list)
    _asked: Level | None = None

    def next(self) -> Level | Found:
        """The next step, or the answer."""
        found = self._next()
        self._asked = found if isinstance(found, Level) else None
        return found

    def observe(self, level: float, requests: int, evidence: Evidence) -> None:
        """A visit of ``level`` is over: how many requests it measured, and what they show (all objectives together)."""
        known = self._known.setdefault(level, _Known())
        known.evidence = known.evidence + evidence
        known.requests += requests
        known.visits += 1
        purpose = self._asked.purpose if self._asked else "bisecting"
        self._steps.append(Step(level, purpose, requests, known.evidence.status(self._claim)))

    def so_far(self) -> Found:
        """The answer that a search would give which is cut here."""
        return self._found(*self._bracket())

    @property
    def _claim(self) -> float:
        """The chance of error of either end of the interval."""
        return (1 - self.spec.confidence) / 2

    def _next(self) -> Level | Found:
        low, high = self._bracket()
        if len(self._steps) >= MOST_STEPS or (low is None and high == self.spec.lowest and not self._open(high)):
            return self._found(low, high)
        if high is None:
            return self._upwards(low)
        if low is None and high == self.spec.lowest:
            return self._visit(high, "holding")
        middle = self._between(low, high)
        if middle is not None:
            return self._visit(middle, "bisecting")
        return self._hold(low, high)

    def _bracket(self) -> tuple[float | None, float | None]:
        """The highest level below the lowest that leans to not meeting, and that one."""
        against = [level for level, known in self._known.items() if not known.leans]
        high = min(against, default=None)
        low = max((level for level in self._known if high is None or level < high), default=None)
        return low, high

    def _upwards(self, low: float | None) -> Level | Found:
        if low is None:
            return self._visit(self.spec.lowest, "doubling")
        if low >= self.spec.highest:
            return self._visit(low, "holding") if self._open(low) else self._found(low, None)
        return self._visit(self._rounded(min(2 * low, self.spec.highest)), "doubling")

    def _between(self, low: float | None, high: float) -> float | None:
        """The level in the middle; None when the two are near enough."""
        if low is None:
            return self.spec.lowest
        if high / low <= 1 + FINEST * self.spec.tolerance or (self.spec.whole and high - low <= 1):
            return None
        return self._rounded(math.sqrt(low * high))

    def _hold(self, low: float | None, high: float) -> Level | Found:
        """The found level first, then the one above it; where that cannot be told either, higher ones, until one is."""
        for level in (low, self._above(high)):
            if level is not None and self._open(level):
                return self._visit(level, "holding")
        return self._found(low, high)

    def _above(self, high: float) -> float | None:
        """The lowest level above that is shown not to meet, or else may yet be; None when it would be beyond the highest."""
        above = sorted(level for level in self._known if level >= high)
        for level in above:
            if self._known[level].evidence.status(self._claim) is False or self._open(level):
                return level
        further = self._rounded(above[-1] * (1 + 2 * self.spec.tolerance))
        return further if above[-1] < further <= self.spec.highest else None

    def _open(self, level: float) -> bool:
        """Whether a level could still be shown either way."""
        known = self._known.get(level, _Known())
        return known.evidence.status(self._claim) is None and known.requests < self.spec.most_requests

    def _visit(self, level: float, purpose: Purpose) -> Level:
        known = self._known.get(level, _Known())
        tail = self._claim if purpose == "holding" else DIRECTION
        share = 1.0 if purpose == "holding" else 0.25
        requests = max(1, math.ceil(share * self.spec.most_requests) - known.requests)
        return Level(level, purpose, requests, tail, known.evidence)

    def _rounded(self, level: float) -> float:
        return float(round(level)) if self.spec.whole else level

    def _found(self, low: float | None, high: float | None) -> Found:
        statuses = {level: known.evidence.status(self._claim) for level, known in self._known.items()}
        failing = min((level for level, status in statuses.items() if status is False), default=None)
        meeting = max((level for level, met in statuses.items() if met and (failing is None or level < failing)), default=0.0)
        spent = sum(known.requests for known in self._known.values())
        return Found(low, (meeting, failing), spent, self._grid(low), tuple(self._steps))

    def _grid(self, limit: float | None) -> int:
        """What ``1, 2, 4, … highest``, refined around the limit to the tolerance, would have taken: a plan cannot know which
        level is the hard one, so each gets what the hardest one took."""
        hardest = max((known.requests for known in self._known.values()), default=0)
        doublings = math.ceil(math.log2(self.spec.highest / self.spec.lowest) - 1e-9) + 1
        steps = 1 / math.log2(1 + self.spec.tolerance)
        apart = min(steps, (limit or self.spec.lowest)) if self.spec.whole else steps
        return hardest * (doublings + max(0, math.ceil(apart) - 1))

"""When a run ends early, or a model is left out: pure rules over counts.

A throttle never stops anything: it is a result. An endpoint that nobody reaches, or a model that refuses every request for a
reason that the next request meets again, is no use measuring. What the prompts of a bucket cause costs that bucket alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from fmbench.config.schema import Load
from fmbench.core.cures import in_words, lies_with_the_model
from fmbench.core.failures import OURS, PERMANENT, UNREACHABLE
from fmbench.core.levels import window_s
from fmbench.core.plan import window_cap_s
from fmbench.core.records import Cell
from fmbench.load.controller.cell_log import Attempt
from fmbench.load.controller.interrupts import Stop

DOWN_AFTER_S = 10.0
DOWN_AFTER_FAILURES = 5
HOPELESS_AFTER = 5
STOP_AFTER_OURS = 3
"""So many refusals of who asks, without a request that was taken in between, end the run."""


@dataclass(slots=True)
class TargetWatch:
    """Whether the endpoint is there at all."""

    since: float | None = None
    """When the unbroken row of failures to reach it began."""
    failures: int = 0
    reached: bool = False
    """Whether there was an answer of any kind, ever."""

    def observe(self, now: float, ok: int, failures: Mapping[str, int]) -> None:
        """Take in what happened since the last time: requests that were ok, and failures by kind. ``now``: monotonic seconds."""
        unreachable = sum(failures.get(kind, 0) for kind in UNREACHABLE)
        if ok or sum(failures.values()) > unreachable:
            self.since, self.failures, self.reached = None, 0, True
        elif unreachable:
            self.since = now if self.since is None else self.since
            self.failures += unreachable

    def down(self, now: float) -> bool:
        """No answer of any kind, and nothing but failures to reach the endpoint, for ten seconds."""
        return self.since is not None and now - self.since >= DOWN_AFTER_S and self.failures >= DOWN_AFTER_FAILURES

    @property
    def never_there(self) -> bool:
        """Nothing but failures to reach the endpoint, all the time, in a run too short for ``down``."""
        return self.failures > 0 and not self.reached


@dataclass(slots=True)
class RefusalWatch:
    """Whether a model, or a model with the prompts of one bucket, gives anything but refusals."""

    answered: bool = False
    refusals: Counter[str] = field(default_factory=Counter)

    def observe(self, others: int, refused: Mapping[str, int]) -> None:
        """Take in what happened since the last time: refusals by kind, and how many requests ended in any ``other`` way."""
        self.answered = self.answered or others > 0
        self.refusals.update(refused)

    def hopeless(self, concurrency: int, words: Mapping[str, str]) -> str | None:
        """Why the rest is left out, in the service's own ``words``; None while there is hope."""
        if self.answered or self.refusals.total() < max(HOPELESS_AFTER, concurrency):
            return None
        return f"every request was refused: {in_words(self.refusals, words)}"


@dataclass(slots=True)
class Watches:
    """What the controller has learned of the targets.

    A refusal has one of three causes: who asks (credentials, clock, proxy), the model (access, a parameter), or the prompts.
    """

    target: TargetWatch = field(default_factory=TargetWatch)
    models: dict[str, RefusalWatch] = field(default_factory=dict)
    buckets: dict[tuple[str, str], RefusalWatch] = field(default_factory=dict)
    ours: Counter[str] = field(default_factory=Counter)
    """Refusals of who asks since a request was last taken."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Model → why its remaining cells are skipped."""
    buckets_left_out: dict[tuple[str, str], str] = field(default_factory=dict)
    """Model and bucket → why their remaining cells are skipped."""

    failing_levels: dict[tuple[str, str], float] = field(default_factory=dict)
    """Model and bucket → the lowest level that was shown not to meet the objectives, where higher ones are left out."""

    def why_left_out(self, cell: Cell) -> str | None:
        """Why this cell is not worth a request; None: it is."""
        failing = self.failing_levels.get((cell.model, cell.bucket))
        if failing is not None and cell.level > failing:
            what = "users" if cell.rate_per_min is None else "requests a minute"
            return f"{failing:g} {what} are shown not to meet the objectives: nothing is to be learned above (stop_when_failing)"
        return self.left_out.get(cell.model) or self.buckets_left_out.get((cell.model, cell.bucket))

    def failing(self, cell: Cell) -> None:
        """A level was shown not to meet the objectives: higher ones are left out."""
        self.failed_before((cell.model, cell.bucket), cell.level)

    def failed_before(self, key: tuple[str, str], level: float) -> None:
        """The same of a model and bucket, in an earlier part of the run."""
        self.failing_levels[key] = min(level, self.failing_levels.get(key, math.inf))

    def observe(self, cell: Cell, ok: int, failures: Mapping[str, int], words: Mapping[str, str]) -> None:
        """Take in what happened to this cell's requests since the last time, and leave out what is hopeless.

        Raises ``Stop`` when nobody can ask anything any more.
        """
        refused = {kind: count for kind, count in failures.items() if kind in PERMANENT and count > 0}
        others = ok + sum(count for kind, count in failures.items() if kind not in PERMANENT)
        self._heed_ours(others, Counter({kind: count for kind, count in refused.items() if kind in OURS}), words)
        of_model = {kind: n for kind, n in refused.items() if lies_with_the_model(kind, words.get(kind, ""))}
        of_prompts = {kind: n for kind, n in refused.items() if kind not in OURS and kind not in of_model}
        model = self.models.setdefault(cell.model, RefusalWatch())
        bucket = self.buckets.setdefault((cell.model, cell.bucket), RefusalWatch())
        model.observe(others, of_model)
        bucket.observe(others, of_prompts)
        if (why := model.hopeless(cell.concurrency, words)) is not None:
            self.left_out[cell.model] = why
        if (why := bucket.hopeless(cell.concurrency, words)) is not None:
            self.buckets_left_out[cell.model, cell.bucket] = why

    def _heed_ours(self, others: int, ours: Counter[str], words: Mapping[str, str]) -> None:
        self.ours = ours if others else self.ours + ours
        if self.ours.total() >= STOP_AFTER_OURS and not others:
            raise Stop("credentials", f"no request is taken any more: {in_words(self.ours, words)}")


def visit_over(load: Load, elapsed_s: float, attempt: Attempt) -> bool:
    """Whether a step of a search may end: it has shown enough, or measured as much as it may, or is at its cap."""
    visit = attempt.visit
    assert visit is not None
    if elapsed_s >= window_cap_s(load) or attempt.measured >= visit.requests:
        return True
    return attempt.evidence is not None and attempt.measured > 0 and visit.enough(attempt.evidence)


def window_over(load: Load, elapsed_s: float, measured: int, decided: bool) -> bool:
    """Whether a cell's window may end: after ``duration_s``, with ``min_requests`` over, and decided; at its cap in any case."""
    least_s = window_s(load)
    if elapsed_s >= max(least_s, window_cap_s(load)):
        return True
    return elapsed_s >= least_s and measured >= load.min_requests and decided

"""When a run ends early, or a model is left out: pure rules over counts.

A throttle never stops anything: it is a result. An endpoint that nobody reaches, or a model that refuses every request for a
reason that the next request meets again, is no use measuring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fmbench.config.schema import Load
from fmbench.core.failures import PERMANENT, UNREACHABLE
from fmbench.core.plan import window_cap_s

DOWN_AFTER_S = 10.0
DOWN_AFTER_FAILURES = 5
HOPELESS_AFTER = 5


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
class ModelWatch:
    """Whether a model gives anything but refusals."""

    answered: bool = False
    refusals: dict[str, int] = field(default_factory=dict)

    def observe(self, ok: int, failures: Mapping[str, int]) -> None:
        """Take in what happened to this model's requests since the last time."""
        refused = {kind: count for kind, count in failures.items() if kind in PERMANENT and count}
        if ok or sum(failures.values()) > sum(refused.values()):
            self.answered = True
        for kind, count in refused.items():
            self.refusals[kind] = self.refusals.get(kind, 0) + count

    def hopeless(self, concurrency: int) -> str | None:
        """Why the rest of this model's cells are left out; None while there is hope."""
        if self.answered or sum(self.refusals.values()) < max(HOPELESS_AFTER, concurrency):
            return None
        return "every request was refused: " + ", ".join(f"{kind} ({count})" for kind, count in sorted(self.refusals.items()))


@dataclass(slots=True)
class Watches:
    """What the controller has learned of the targets."""

    target: TargetWatch = field(default_factory=TargetWatch)
    models: dict[str, ModelWatch] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    """Model → why its remaining cells are skipped."""

    def of_model(self, model: str) -> ModelWatch:
        """The watch over one model."""
        return self.models.setdefault(model, ModelWatch())


def window_over(load: Load, elapsed_s: float, measured: int, decided: bool) -> bool:
    """Whether a cell's window may end: after ``duration_s``, with ``min_requests`` over, and decided; at its cap in any case."""
    if elapsed_s >= window_cap_s(load):
        return True
    return elapsed_s >= load.duration_s and measured >= load.min_requests and decided

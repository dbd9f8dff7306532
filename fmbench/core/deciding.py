"""Whether a cell's objectives can be judged by now: asked while it is being measured, of counts alone.

Counts come by slices of time, so that what requests of one moment have in common is seen: a share's **design effect** is how much
more its slices scatter than independent requests would, and n requests count as n / design effect.

Whoever looks often enough sees something significant in the end. So there are ten looks at a window, further and further apart,
and what ends it has to hold at 99 %: ten such looks err as seldom as a single one at 95 % (Pocock, Biometrika 64, 1977). A window
that nothing ends goes on to its cap, where the report judges it at 95 % as any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from fmbench.core.intervals import dependence
from fmbench.core.objectives import FEWEST_FOR_ERRORS, Objective
from fmbench.core.quantiles import Floats

LOOKS = 10
TAIL_OF_A_LOOK = 0.005
"""99 %, both sides."""
FEWEST_SLICES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A cell's measured requests, an array item a slice of time (by when they were sent). ``unknown`` are still in flight: they
    may fall either way."""

    unknown: int
    ended: Floats
    failed: Floats
    ok: Floats
    usd: Floats
    priced: Floats
    """How many of the ok requests have a known price."""
    per_minute: Floats
    """Transactions a minute, by when they were over."""
    latencies: dict[str, tuple[Floats, Floats]]
    """Objective → answers that have this latency, and those within the limit."""


def look_times(shortest_s: float, cap_s: float) -> list[float]:
    """When a window is looked at, seconds after it began: from its shortest length to its cap, by steps of the same ratio."""
    return [shortest_s * (cap_s / shortest_s) ** (step / (LOOKS - 1)) for step in range(LOOKS)]


def decided(objective: Objective, counts: Counts) -> bool:
    """Whether ``objective`` is met or not met at 99 %; also when no more requests would tell: without a price, or
    such a latency; and the quality of answers, which are scored after the load."""
    if objective.latency is not None:
        return _latency_decided(objective, *counts.latencies[objective.name], counts)
    if objective.name == "error_rate":
        return _errors_decided(objective.limit, counts)
    if objective.name == "usd_per_10k":
        return _cost_decided(objective.limit, counts)
    if objective.name == "transactions_per_minute":
        rates = counts.per_minute
        return len(rates) > 0 and _on_one_side(objective.limit, float(rates.mean()), rates)
    return True


def design_effect(hits: Floats, counted: Floats) -> float:
    """How much more the shares of slices scatter than those of independent requests, by slices, pairs and fours of them: 1 unless
    that is more than chance (chi-squared, 95 %)."""
    return max(_scatter(_joined(hits, size), _joined(counted, size)) for size in (1, 2, 4))


def _joined(values: Floats, size: int) -> Floats:
    return np.add.reduceat(values, np.arange(0, len(values), size))


def _scatter(hits: Floats, counted: Floats) -> float:
    hits, counted = hits[counted > 0], counted[counted > 0]
    freedom = len(counted) - 1
    share = float(hits.sum() / counted.sum()) if len(counted) else 0.0
    if freedom < FEWEST_SLICES - 1 or share in (0.0, 1.0):
        return 1.0
    squares = float(((hits - share * counted) ** 2).sum() / (counted.sum() * share * (1 - share))) * len(counted)
    return squares / freedom if squares > 2 * float(special.gammaincinv(freedom / 2, 0.95)) else 1.0


def _latency_decided(objective: Objective, counted: Floats, within: Floats, counts: Counts) -> bool:
    assert objective.latency is not None
    wanted = objective.latency[1]
    if not counted.sum():
        return bool(counts.ok.sum())
    effect, trials = design_effect(within, counted), float(counted.sum()) + counts.unknown
    hits = float(within.sum())
    return _lowest(hits, trials, effect) >= wanted or _highest(hits + counts.unknown, trials, effect) < wanted


def _errors_decided(limit: float, counts: Counts) -> bool:
    ended, failed = float(counts.ended.sum()), float(counts.failed.sum())
    if not ended:
        return False
    trials = ended + counts.unknown
    if ended >= FEWEST_FOR_ERRORS and (failed + counts.unknown) / trials <= limit:
        return True
    return _lowest(failed, trials, design_effect(counts.failed, counts.ended)) > limit


def _lowest(hits: float, trials: float, effect: float) -> float:
    """The lower end of Clopper and Pearson's interval of a share."""
    hits, trials = hits / effect, trials / effect
    return 0.0 if hits <= 0 else float(special.betaincinv(hits, trials - hits + 1, TAIL_OF_A_LOOK))


def _highest(hits: float, trials: float, effect: float) -> float:
    hits, trials = hits / effect, trials / effect
    return 1.0 if hits >= trials else float(special.betaincinv(hits + 1, trials - hits, 1 - TAIL_OF_A_LOOK))


def _cost_decided(limit: float, counts: Counts) -> bool:
    answers = float(counts.ok.sum())
    if counts.priced.sum() < answers:
        return True
    if not answers:
        return False
    each = float(counts.usd.sum()) / answers
    surplus = (counts.usd - each * counts.ok) / (answers / len(counts.ok))
    return _on_one_side(limit / 10_000, each, surplus)


def _on_one_side(limit: float, value: float, slices: Floats) -> bool:
    """Whether the mean's interval, from how slices scatter, lies on one side of the limit."""
    if float(np.ptp(slices)) <= 1e-9 * abs(value):
        return True
    if len(slices) < FEWEST_SLICES:
        return False
    known = dependence(slices)
    reach = float(special.stdtrit(known.batches - 1, 1 - TAIL_OF_A_LOOK)) * float(slices.std(ddof=1)) / known.effective**0.5
    return bool(abs(limit - value) > reach)

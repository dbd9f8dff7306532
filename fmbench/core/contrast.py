"""One figure of two runs: how far apart they are, and the chance of a difference beyond any limit.

The hypothesis is a ratio r (or, in points, a difference): that the figure of B is r times that of A. A percentile is tested by
the share of either side's requests beyond the pooled percentile of B and r times A; a mean by B's mean minus r times A's. The
variance takes in what requests have in common: their moment (batches), their user, their prompt. **Requests with the same prompt
in both runs are paired**: what the prompt makes of both leaves the difference. Repeats, or whole runs of a population, are
compared as wholes: Student's t with a pooled variance (five repeats a side, or two runs).

Tails are Student's and the binomial's, never those of so many rearrangements: what is far apart is as sure as it is far. The 95 %
interval holds the ratios that the test does not reject.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from fmbench.core.clusters import Labels, Part, parts_of, satterthwaite
from fmbench.core.intervals import FEWEST_BLOCKS, Interval, batch_size, dependence
from fmbench.core.quantiles import Floats
from fmbench.core.sums import squares

SIGNIFICANT = 0.05
SMALLEST = 0.01
"""A difference by less, as a share, is nobody's concern, however sure it is."""
FEWEST_VALUES = 8
"""Of fewer values a side nothing is said."""
NEXT_TO_NOTHING = 1e-6
CLOSE = 1e-9
"""Values that differ by no larger share are equal."""


@dataclass(frozen=True, slots=True)
class Side:
    """One run's values in the order of time, each with what it has in common with others. ``runs``: the repeat, or the run of a
    population, of each; ``prompts`` number the same ones alike in both sides; ``hosts``
    are the load processes of the users."""

    values: Floats
    weights: Floats | None = None
    """What a mean is taken over where that is not the count: Σ values / Σ weights."""
    runs: Labels | None = None
    prompts: Labels | None = None
    users: Labels | None = None
    hosts: Labels | None = None
    whole_runs: bool = False
    """The runs are of a population: two are enough to be compared as wholes."""

    @property
    def blocks(self) -> int:
        """How many runs or repeats there are."""
        return 1 if self.runs is None else len(np.unique(self.runs))


Chance = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Contrast:
    """``change``: the ratio B / A minus 1 (in points: B - A). ``chances(change)``: of seeing B so high, or so low, if the true
    change were that (one-sided p of "it is above", and of "it is below")."""

    change: float
    interval: Interval
    chances: Chance
    paired: bool = False
    freedom: float = math.inf

    @property
    def p(self) -> float:
        """Two-sided, of no change at all."""
        return min(1.0, 2 * min(self.chances(0.0)))


def of_quantile(a: Side, b: Side, share: float) -> Contrast | None:
    """The percentile at ``share``; None with too few values, or where one is not above 0."""
    if min(len(a.values), len(b.values)) < FEWEST_VALUES:
        return None
    found = tuple(float(np.quantile(side.values, share)) for side in (a, b))
    if min(found) <= 0:
        return None
    if wholes(a, b):
        return _of_wholes(a, b, lambda side: float(np.quantile(side.values, share)))
    seen = found[1] / found[0]
    test = ShareTest(a, b, share, seen - 1)
    return _contrast(seen, test.chances, test.paired, test.freedom)


def of_mean(a: Side, b: Side) -> Contrast | None:
    """A mean above 0 (cost, a rate, quality), as a ratio."""
    if min(len(a.values), len(b.values)) < FEWEST_VALUES:
        return None
    found = _mean(a), _mean(b)
    if found[0] <= 0 or found[1] < 0:
        return None
    if wholes(a, b):
        return _of_wholes(a, b, _mean)
    seen = max(found[1] / found[0], NEXT_TO_NOTHING)
    variance = _Variance(a, b, *(_surplus(side) for side in (a, b)))

    def chances(change: float) -> tuple[float, float]:
        ratio = 1 + change
        return _student(found[1] - ratio * found[0], variance.of(ratio), max(found) * CLOSE, variance.freedom)

    return _contrast(seen, chances, variance.paired, variance.freedom)


def of_flags(a: Side, b: Side) -> Contrast | None:
    """A share of requests (failed ones), as a difference in points; few events are judged by the binomial."""
    if min(len(a.values), len(b.values)) < FEWEST_VALUES:
        return None
    found = _mean(a), _mean(b)
    if wholes(a, b):
        return _of_wholes(a, b, _mean, in_points=True)
    variance = _Variance(a, b, *(_surplus(side) for side in (a, b)))
    sizes = len(a.values) / variance.effects[0], len(b.values) / variance.effects[1]
    hits = found[0] * sizes[0], found[1] * sizes[1]
    # Agresti and Caffo: one success and one failure more on each side, so that no failure at all is not certainty
    shares = [(hit + 1) / (size + 2) for hit, size in zip(hits, sizes, strict=True)]
    error = math.sqrt(sum(share * (1 - share) / (size + 2) for share, size in zip(shares, sizes, strict=True)))

    def chances(change: float) -> tuple[float, float]:
        if change == 0:
            return _binomial(hits[0], hits[1], sizes[1] / sum(sizes), variance.freedom)
        return _student(shares[1] - shares[0] - change, error**2, 0.0, variance.freedom)

    low, high = (shares[1] - shares[0] + sign * float(special.stdtrit(variance.freedom, 0.975)) * error for sign in (-1, 1))
    seen = found[1] - found[0]
    return Contrast(seen, (min(low, seen), max(high, seen)), chances, variance.paired, variance.freedom)


def wholes(a: Side, b: Side) -> bool:
    """Whether repeats, or runs, are what is compared."""
    fewest = min(a.blocks, b.blocks)
    return fewest >= FEWEST_BLOCKS or (fewest >= 2 and a.whole_runs and b.whole_runs) or _of_a_population(a, b)


def _of_a_population(a: Side, b: Side) -> bool:
    """Two runs or more against one: the one is as uncertain as those scatter."""
    return (a.whole_runs or b.whole_runs) and max(a.blocks, b.blocks) >= 3


def _of_wholes(a: Side, b: Side, figure: Callable[[Side], float], in_points: bool = False) -> Contrast | None:
    """Student's t between the figures of whole runs, on the logarithms where a ratio is asked for."""
    found = [np.array([figure(part) for part in _runs_of(side)]) for side in (a, b)]
    if not in_points:
        if min(float(values.min()) for values in found) <= 0:
            return None
        found = [np.log(values) for values in found]
    freedom = sum(map(len, found)) - 2
    pooled = sum(float(((values - values.mean()) ** 2).sum()) for values in found) / freedom
    if in_points:
        pooled = max(pooled, _of_chance(a, b))
    variance = pooled * sum(1 / len(values) for values in found)
    gap = float(found[1].mean() - found[0].mean())
    reach = float(special.stdtrit(freedom, 0.975)) * math.sqrt(variance)
    back: Callable[[float], float] = (lambda value: value) if in_points else math.expm1
    forth: Callable[[float], float] = (lambda value: value) if in_points else math.log1p

    def chances(change: float) -> tuple[float, float]:
        return _student(gap - forth(max(change, -1 + 1e-12) if not in_points else change), variance, CLOSE, freedom)

    return Contrast(back(gap), (back(gap - reach), back(gap + reach)), chances, False, freedom)


def _of_chance(a: Side, b: Side) -> float:
    """The variance that the share of one run has by chance alone: few failures may happen to be equally many in each run."""
    flags = np.concatenate([a.values, b.values])
    share = float(flags.mean())
    return share * (1 - share) * (a.blocks + b.blocks) / len(flags)


def _runs_of(side: Side) -> list[Side]:
    if side.runs is None:
        return [side]
    weights = side.weights
    return [
        Side(side.values[mine], None if weights is None else weights[mine])
        for run in np.unique(side.runs)
        for mine in (side.runs == run,)
    ]


def _mean(side: Side) -> float:
    return float(side.values.sum() / (len(side.values) if side.weights is None else side.weights.sum()))


def _surplus(side: Side) -> Floats:
    """Each value's part in the distance of the mean from what is expected."""
    weights = np.ones(len(side.values)) if side.weights is None else side.weights
    return np.asarray((side.values - _mean(side) * weights) / weights.sum())


class _Variance:
    """Of the difference of two sides, B - r A, from each value's surplus: what prompts scatter (of shared ones, their
    differences), and what clusters and moments add."""

    def __init__(self, a: Side, b: Side, of_a: Floats, of_b: Floats) -> None:
        surplus = (of_a, of_b)
        prompts, both = _by_prompt((a, b), surplus)
        self.paired = both >= FEWEST_VALUES
        if self.paired:
            self.prompts = prompts
            surplus = _without_prompts((a, b), surplus)
        parts = [_effect(side, left, not self.paired) for side, left in zip((a, b), surplus, strict=True)]
        alone = [squares(left) for left in surplus]
        self.effects = tuple(part.effect for part in parts)
        taken = 1.0 if self.paired else 0.0
        self.own = [size * max(part.effect - taken, 0.0) for size, part in zip(alone, parts, strict=True)]
        known = [Part(own, part.freedom) for own, part in zip(self.own, parts, strict=True)]
        if self.paired:
            known.append(Part(self._pairs(1.0), both - 1))
        self.freedom = satterthwaite(known).freedom

    def of(self, ratio: float) -> float:
        """The variance of B - r A."""
        return self._pairs(ratio) + self.own[1] + ratio**2 * self.own[0]

    def _pairs(self, ratio: float) -> float:
        if not self.paired:
            return 0.0
        apart = self.prompts[1] - ratio * self.prompts[0]
        known = int(np.count_nonzero(np.any(self.prompts != 0, axis=0)))
        return squares(apart) * known / max(known - 1, 1)


def _effect(side: Side, surplus: Floats, with_prompts: bool) -> Part:
    """The design effect of one side, and with how many degrees of freedom it is known."""
    runs = None if side.runs is None else side.runs.astype(np.float64)
    time = dependence(surplus, runs)
    parts = [Part(time.design_effect, math.inf if time.design_effect == 1 else max(time.batches - 1, 1))]
    within = np.arange(len(surplus)) // max(batch_size(surplus), len(surplus) // 16, 1)
    parts += parts_of(surplus, side.users, side.hosts, side.prompts if with_prompts else None, within)
    whole = satterthwaite(parts)
    return Part(whole.effect, min(whole.freedom, len(surplus) - 1))


def _by_prompt(sides: tuple[Side, Side], surplus: tuple[Floats, Floats]) -> tuple[Floats, int]:
    """The sums of both sides' surplus by prompt, and how many prompts both sent."""
    labels = [side.prompts for side in sides if side.prompts is not None]
    if len(labels) < 2:
        return np.empty((2, 0)), 0
    size = int(max(int(side.max(initial=-1)) for side in labels)) + 1
    sums = [np.bincount(side, weights=part, minlength=size) for side, part in zip(labels, surplus, strict=True)]
    counts = [np.bincount(side, minlength=size) for side in labels]
    return np.stack(sums), int(np.count_nonzero((counts[0] > 0) & (counts[1] > 0)))


def _without_prompts(sides: tuple[Side, Side], surplus: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """What is left of each value's surplus beside what its prompt makes of both sides."""
    labels = [side.prompts for side in sides if side.prompts is not None]
    unscaled = [part * len(part) for part in surplus]
    together, values = np.concatenate(labels), np.concatenate(unscaled)
    usual = np.bincount(together, weights=values) / np.maximum(np.bincount(together), 1)
    left = [(part - usual[side]) / len(part) for part, side in zip(unscaled, labels, strict=True)]
    return left[0], left[1]


Moved = Callable[[Floats, float], Floats]
"""The values of A as they would be if a change were true."""


def times(values: Floats, change: float) -> Floats:
    """A change as a share of each value."""
    return (1 + change) * values


class ShareTest:
    """The test of a percentile: which shares of A as it is moved, and of B, lie beyond the pooled percentile."""

    def __init__(self, a: Side, b: Side, share: float, seen: float, moved: Moved = times) -> None:
        self.share, self.moved = share, moved
        self.a, self.b = np.sort(a.values), np.sort(b.values)
        beyond = float(np.quantile(np.concatenate([moved(self.a, seen), self.b]), share))
        flags = [(values > beyond).astype(np.float64) for values in (moved(a.values, seen), b.values)]
        surplus = [(side - side.mean()) / len(side) for side in flags]
        variance = _Variance(a, b, *surplus)
        alone = sum(squares(part) for part in surplus)
        self.effect = max(variance.of(1.0) / alone, 1e-3) if alone > 0 else 1.0
        self.paired, self.freedom = variance.paired, variance.freedom

    def chances(self, change: float) -> tuple[float, float]:
        """By the binomial of how the exceedances fall on the two sides, with as much variance as they have."""
        scaled = self.moved(self.a, change)
        sizes = len(self.a), len(self.b)
        beyond = float(np.quantile(np.concatenate([scaled, self.b]), self.share))
        hits = [len(values) - int(np.searchsorted(values, beyond, side="right")) for values in (scaled, self.b)]
        if not sum(hits):
            return 0.5, 0.5
        share = sum(hits) / sum(sizes)
        scale = 1 / (self.effect * max(1 - share, 1 / sum(sizes)))
        return _binomial(scale * hits[0], scale * hits[1], sizes[1] / sum(sizes), self.freedom)


def _binomial(hits_a: float, hits_b: float, part_of_b: float, freedom: float) -> tuple[float, float]:
    """Of all hits, so many fell on B, of which a part would be expected: mid-p of more, and of fewer; with Student's tails."""
    total = hits_a + hits_b
    if total <= 0:
        return 0.5, 0.5
    more = _at_least(hits_b, total, part_of_b)
    above, below = (more + _at_least(hits_b + 1, total, part_of_b)) / 2, 0.0
    below = 1 - above
    return tuple(float(special.stdtr(freedom, special.ndtri(chance))) for chance in (above, below))  # type: ignore[return-value]


def _at_least(hits: float, total: float, share: float) -> float:
    if hits <= 0:
        return 1.0
    return 0.0 if hits > total + 1e-12 and hits - total >= 1 else float(special.betainc(hits, max(total - hits, 0) + 1, share))


def _student(gap: float, variance: float, nothing: float, freedom: float) -> tuple[float, float]:
    """The chances of a difference so high, or so low; a difference of rounding is none."""
    if abs(gap) <= nothing:
        return 0.5, 0.5
    error = math.sqrt(max(variance, 0.0))
    if error <= nothing:
        return (0.0, 1.0) if gap > 0 else (1.0, 0.0)
    return float(special.stdtr(freedom, -gap / error)), float(special.stdtr(freedom, gap / error))


def _contrast(ratio: float, chances: Chance, paired: bool, freedom: float) -> Contrast:
    """The interval: the changes that are not rejected, by either tail at 2.5 %."""
    seen = math.log(ratio)

    def end(tail: int, step: float) -> float:
        reach = step
        while chances(math.expm1(seen + reach))[tail] > 0.025 and abs(reach) < 10:
            reach *= 2
        if abs(reach) >= 10:
            return math.expm1(seen + reach)
        return math.expm1(
            float(optimize.bisect(lambda log: chances(math.expm1(log))[tail] - 0.025, seen, seen + reach, xtol=1e-5))
            if chances(math.expm1(seen))[tail] > 0.025
            else seen
        )

    return Contrast(ratio - 1, (end(0, -0.02), end(1, 0.02)), chances, paired, freedom)

"""95 % intervals for data whose neighbours resemble each other.

Requests that are served together share the server's state, so n of them tell less than n independent ones. Values in the order of
time are cut into batches of equal size; what the batch means scatter, beyond what independent values would, is the **design
effect** d, and the **effective sample size** is n / d. Batches start many and short, and are joined by twos as long as
neighbouring batch means are still correlated (Law and Carson, Operations Research 27(5), 1979; Fishman, LABATCH.2, 1998); what
correlation is left corrects d as that of a first-order autoregression would.

Values of one **block** (a study may be repeated) share what their hour had in common. From five blocks on the blocks are what is
sampled: d is what their means scatter, with as many degrees of freedom. Fewer are, when they scatter more than one study in five
would by chance; else d is at least what their means scatter.

What **users** and **prompts** have in common all through a window comes on top (``core.clusters``).

- mean: Willink's interval (Communications in Statistics 34(4), 2005), Student's t corrected for skewness, over n / d samples;
- quantile: the order-statistic interval (a beta distribution for the rank, David and Nagaraja, Order Statistics, 2.1 and 7.1)
  with n / d in place of n; where its upper end lies beyond the largest of n / d values, Weissman's tail (JASA 73, 1978) extends
  the sample: that others are as large as the largest says nothing where all are answers to one prompt;
- share: Clopper and Pearson's interval over n / d trials;
- difference: MOVER (Zou and Donner, Statistics in Medicine 27, 2008) from the two intervals.

Everything is a deterministic function of the values: nothing is drawn at random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from fmbench.core.clusters import Common, Part, satterthwaite
from fmbench.core.quantiles import Floats, quantile_of_sorted
from fmbench.core.samples import TAIL
from fmbench.core.sums import Scatter, inner, squares

Interval = tuple[float, float]

MOST_BATCHES = 64
FEWEST_BATCHES = 8
ROUNDING = 1e-12
"""Values that differ by no larger share of their mean are equal."""
MOST_LEFT = 0.5
"""The most correlation between batches that is corrected for: beyond it the run is too short to tell."""
FEWEST_BLOCKS = 5
"""From so many repeats of a study on they are what is sampled."""
SMALLEST_TAIL = 1e-6
"""Two or three blocks leave next to nothing known of a tail; ranks are not worked out beyond this."""
FEWEST_BEYOND = 16
"""Of fewer exceedances it is not told how they depend on each other."""
TOP_VALUES = 8
"""Of dependent values a tail is told from what so many independent ones are worth."""
LONE_VALUES = 4
"""Below so many values none of them can be told to depend on another."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """How much a series in the order of time tells: ``effective`` independent values, judged from ``batches`` batches."""

    count: int
    batches: int
    design_effect: float
    skew: float = 0.0
    """Skewness of the mean, as that of the batches shows it."""
    few_sources: bool = False
    """Whether prompts are what is sampled: more answers to the same ones show no other tail."""

    @property
    def effective(self) -> float:
        """The effective sample size, at most the count."""
        return self.count / self.design_effect

    def tail_of(self, tail: float) -> float:
        """``tail``; of dependent values the normal tail beyond Student's point there, as the design effect is not known well."""
        return tail if self.design_effect == 1 else _tail(self.batches, tail)


def dependence(series: Floats, common: Common | Floats | None = None) -> Dependence:
    """The dependence of values in the order of time, by what they have in ``common`` (numbers alone are of repeats)."""
    scatter = Scatter(series)
    if not isinstance(common, Common):
        return _in_time(scatter, common)
    return _with_clusters(scatter, _in_time(scatter, common.blocks), common)


def _with_clusters(scatter: Scatter, known: Dependence, common: Common) -> Dependence:
    """And by what users and prompts add to what time and repeats explain."""
    if known.count < 2 * LONE_VALUES:
        return known
    parts = [part for part in common.parts(scatter) if part.effect > 0]
    if not parts:
        return known
    time = Part(known.design_effect, math.inf if known.design_effect == 1 else max(known.batches - 1, 1))
    whole = satterthwaite([time, *parts])
    batches = known.count if math.isinf(whole.freedom) else max(2, min(known.count, math.floor(whole.freedom) + 1))
    skew = max([known.skew, *(part.skew for part in parts)], key=abs)
    few = any(part.of_prompts and math.isfinite(part.freedom) for part in parts)
    return Dependence(known.count, batches, min(whole.effect, float(known.count)), skew, few)


def _in_time(scatter: Scatter, blocks: Floats | None) -> Dependence:
    if blocks is not None and len(blocks) > 1:
        _, places = np.unique(blocks, return_inverse=True)
        if places.max() > 0:
            return _of_blocks(scatter, places)
    return _of_one_block(scatter)


def _of_blocks(scatter: Scatter, places: NDArray[np.intp]) -> Dependence:
    """Of values that lie in several blocks: how much more the blocks' means scatter than those of independent values would."""
    series, sizes, spread = scatter.series, np.bincount(places), scatter.variance
    blocks = len(sizes)
    within = _of_one_block(Scatter(series - (np.bincount(places, weights=series) / sizes)[places]))
    if spread <= (ROUNDING * scatter.mean) ** 2:
        return within
    surplus = np.bincount(places, weights=scatter.surplus)
    effect = squares(surplus) / (len(series) * spread) * blocks / (blocks - 1)
    if blocks >= FEWEST_BLOCKS or effect * (blocks - 1) > within.design_effect * _chi_squared(blocks - 1, 0.8):
        return Dependence(len(series), blocks, max(effect, within.design_effect))
    return Dependence(len(series), within.batches, max(effect, within.design_effect))


def _of_one_block(scatter: Scatter) -> Dependence:
    count, spread = len(scatter.series), scatter.variance
    if count < 2 * LONE_VALUES or math.sqrt(spread) <= ROUNDING * abs(scatter.mean):
        return Dependence(count, max(count, 1), 1.0)
    means, size = _uncorrelated_batches(scatter.series)
    batches = len(means)
    effect = float(np.var(means, ddof=1)) * size / spread * _still_correlated(means)
    if effect <= 1 or effect * (batches - 1) <= _chi_squared(batches - 1, 0.95):
        return Dependence(count, count, 1.0)
    return Dependence(count, _worth(means), effect, _skewness(means) / math.sqrt(batches))


def _worth(means: Floats) -> int:
    """How many batches of normal values tell a variance as well: few long spells make it uncertain (their kurtosis)."""
    batches = len(means)
    scaled = (means - means.mean()) / means.std()
    excess = max(0.0, float(np.mean(scaled**4)) - 3)
    return max(3, round(1 + 2 / (2 / (batches - 1) + excess / batches)))


def _skewness(means: Floats) -> float:
    return float(np.mean(((means - means.mean()) / means.std()) ** 3))


def batch_size(series: Floats) -> int:
    """How many neighbours make a batch whose mean no longer resembles the next one's."""
    return _uncorrelated_batches(series)[1] if len(series) >= 2 * LONE_VALUES else 1


def _uncorrelated_batches(series: Floats) -> tuple[Floats, int]:
    """Batch means, and how many values each holds: the shortest batches whose neighbours are not clearly correlated."""
    size = max(1, len(series) // MOST_BATCHES)
    while True:
        batches = len(series) // size
        means = series[: batches * size].reshape(batches, size).mean(axis=1)
        if batches < 2 * FEWEST_BATCHES or _lag_one(means) <= 1.645 / math.sqrt(batches):
            return means, size
        size *= 2


def _still_correlated(means: Floats) -> float:
    """What correlation is left between neighbouring batches, as a factor on the variance of their mean: (1 + r) / (1 - r)."""
    lag = min(max(_lag_one(means) + 1 / len(means), -MOST_LEFT), MOST_LEFT)
    return (1 + lag) / (1 - lag)


def _lag_one(means: Floats) -> float:
    centred = means - means.mean()
    total = squares(centred)
    return inner(centred[1:], centred[:-1]) / total if total > 0 else 0.0


@lru_cache(maxsize=4096)
def _chi_squared(freedom: int, share: float) -> float:
    return float(2 * special.gammaincinv(freedom / 2, share))


@lru_cache(maxsize=4096)
def _student(freedom: int, tail: float = TAIL) -> float:
    return float(special.stdtrit(freedom, 1 - tail))


@lru_cache(maxsize=4096)
def _tail(batches: int, tail: float) -> float:
    return max(SMALLEST_TAIL, float(special.ndtr(-_student(max(batches - 1, 1), tail))))


def mean_interval(series: Floats, known: Dependence | None = None) -> Interval | None:
    """The interval of the mean of values in the order of time; None under two values."""
    if len(series) < 2:
        return None
    known = known or dependence(series)
    mean = float(series.mean())
    deviation = float(series.std(ddof=1))
    if deviation <= ROUNDING * abs(mean):
        return mean, mean
    error = deviation / math.sqrt(known.effective)
    scaled = (series - mean) / deviation
    own = float(np.mean(scaled * scaled * scaled)) / math.sqrt(known.effective)
    skew = max(own, known.skew, key=abs) / 6
    student = _student(known.batches - 1)
    return mean - _willink(student, skew) * error, mean - _willink(-student, skew) * error


def _willink(student: float, skew: float) -> float:
    """Student's point on the scale on which a skewed mean is nearly symmetric (Willink 2005, equation 5)."""
    if abs(skew) < 1e-6:
        return student
    return (float(np.cbrt(1 + 6 * skew * (student - skew))) - 1) / (2 * skew)


def percentile_interval(series: Floats, ascending: Floats, share: float, common: Common | Floats | None) -> Interval | None:
    """The interval of the quantile at ``share`` of values in the order of time.

    Its upper end is where that many exceedances would have to lie: what is beyond a tail's own quantile may be independent, and
    what is far beyond it all of one slow spell. So the most dependent exceedances on the way there count.
    """
    known = quantile_dependence(series, ascending, share, common)
    found = quantile_interval(ascending, share, known)
    if found is None or share <= 0.5:
        return found
    low, high = found
    beyond = quantile_of_sorted(ascending, (1 + share) / 2)
    while np.count_nonzero(ascending > beyond) >= FEWEST_BEYOND:
        other = indicator_dependence(series <= beyond, common)
        if other.design_effect > known.design_effect:
            known = other
            high = max(high, (quantile_interval(ascending, share, known) or found)[1])
        if high <= beyond:
            break
        beyond = high
    return low, high


def quantile_interval(ascending: Floats, share: float, known: Dependence, tail: float = TAIL) -> Interval | None:
    """The interval of the quantile at ``share`` of sorted values, missed by at most ``tail`` on either side; ``known`` is the
    dependence of its exceedances."""
    if len(ascending) < 2:
        return None
    low, high = _bounds_of_rank(share, round(known.effective, 3), known.tail_of(tail))
    return _value_at(ascending, low), _upper_end(ascending, high, known)


def _upper_end(ascending: Floats, position: float, known: Dependence) -> float:
    seen = _value_at(ascending, position)
    if not known.few_sources or position * (known.effective + 1) <= known.effective:
        return seen
    return max(seen, _weissman(ascending, 1 - position, math.ceil(TOP_VALUES * known.design_effect)))


@lru_cache(maxsize=65536)
def _bounds_of_rank(share: float, effective: float, tail: float) -> Interval:
    """The shares of the sample between which the true quantile's rank lies: P(Beta(r, n + 1 - r) < share) at either tail."""

    def missed(rank: float, chance: float) -> float:
        return float(special.betainc(rank, effective + 1 - rank, share)) - chance

    edge = 1e-9 * (effective + 1)
    low, high = (optimize.brentq(missed, edge, effective + 1 - edge, args=(chance,), xtol=1e-6) for chance in (1 - tail, tail))
    return low / (effective + 1), high / (effective + 1)


def _value_at(ascending: Floats, position: float) -> float:
    """The fractional order statistic (Hutson, Statistical Papers 40, 1999): rank ``position`` times n + 1, between neighbours."""
    rank = position * (len(ascending) + 1) - 1
    if rank > len(ascending) - 1:
        return max(float(ascending[-1]), _weissman(ascending, 1 - position))
    below = max(0, math.floor(rank))
    low, high = float(ascending[below]), float(ascending[min(below + 1, len(ascending) - 1)])
    return low + (high - low) * max(0.0, rank - below)


def _weissman(ascending: Floats, beyond: float, least: int = 5) -> float:
    """The value that a share ``beyond`` of all lies above, from Hill's slope over the top tenth of it (``least`` values)."""
    count = len(ascending)
    top = min(count - 1, max(least, count // 10))
    start = float(ascending[count - top - 1])
    if start <= 0:
        return float(ascending[-1])
    slope = float(np.mean(np.log(ascending[count - top :] / start)))
    return float(start * (top / (count * beyond)) ** slope)


def share_interval(within: int, known: Dependence, tail: float = TAIL) -> Interval:
    """Clopper and Pearson's interval of a share, missed by at most ``tail`` on either side: ``within`` of ``known.count``, worth
    ``known.effective`` trials."""
    trials, missed = known.effective, known.tail_of(tail)
    hits = within / known.design_effect
    low = 0.0 if within == 0 else float(special.betaincinv(hits, trials - hits + 1, missed))
    high = 1.0 if within == known.count else float(special.betaincinv(hits + 1, trials - hits, 1 - missed))
    return low, high


def difference_interval(first: float, of_first: Interval, second: float, of_second: Interval) -> Interval:
    """MOVER: the interval of ``first - second`` from the two estimates and their own intervals."""
    gap = first - second
    down = math.hypot(first - of_first[0], of_second[1] - second)
    up = math.hypot(of_first[1] - first, second - of_second[0])
    return gap - down, gap + up


def quantile_dependence(series: Floats, ascending: Floats, share: float, blocks: Common | Floats | None = None) -> Dependence:
    """How dependent the exceedances of a quantile are: the more dependent of its own and, as those are few in a tail, of those of
    the quantile that twice as many values exceed."""
    wider = 1 - 2 * (1 - share)
    own = indicator_dependence(series <= quantile_of_sorted(ascending, share), blocks)
    if wider <= 0.5:
        return own
    other = indicator_dependence(series <= quantile_of_sorted(ascending, wider), blocks)
    return max(own, other, key=lambda known: known.design_effect)


def indicator_dependence(flags: NDArray[np.bool_], blocks: Common | Floats | None = None) -> Dependence:
    """The dependence of a yes or no in the order of time."""
    return dependence(flags.astype(np.float64), blocks)

"""Tests and intervals that hold whenever one looks, however often: for windows that end when they have shown enough.

What is counted is **blocks** of time, not requests: requests of one slow spell are one event. A block is at least ``BLOCK_S``
long, and blocks are joined by twos while neighbours are still correlated.

- A share of the requests (within a limit, failed): a bet against the hypothesis, a stake a block (Waudby-Smith and Ramdas,
  "Estimating means of bounded random variables by betting", JRSS B 86, 2024). Under the hypothesis the wealth is a martingale, so
  that it ever grows to 1 / alpha has a chance of at most alpha (Ville). The wealth is a fixed mixture over stakes.
- A mean without bounds (cost, rates): Robbins' normal mixture on studentised block means, an asymptotic confidence sequence
  (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52, 2024).

Both give **evidence**: log e-values. Those of independent samples add up.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from fmbench.core.quantiles import Floats
from fmbench.core.sums import inner, squares

BLOCK_S = 5.0
"""What happens within so many seconds is one event."""
BLOCKS_AT_FIRST = 6
"""A window that may be shorter than so many blocks has shorter ones."""
FEWEST_BLOCKS = 16
"""Blocks are not joined to fewer."""
FEWEST_FOR_A_MEAN = 40
"""A scatter is not believed of fewer blocks: they may have missed the spells that make it."""
TAIL_OF_SEQUENCE = 0.02
"""What either side of a confidence sequence misses over all looks together: with what spells that cross from block to block add,
less than 5 % in all."""
STAKES = 2.0 ** -np.arange(10)
WEIGHTS = np.array([0.7, *[0.3 / 9] * 9])
"""The stakes of a mixture, as shares of the largest possible one, and how the wealth is laid out over them: most on the largest,
which is what is best when nothing at all is seen to fail."""
PRIOR_BLOCKS = 40.0
"""About so many blocks the normal mixture is tightest at."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How strongly a sample says that a limit is kept, or is not: log e-values, 0 is nothing, 3.9 is 2 %."""

    met: float
    not_met: float
    lean: float = 0.0
    """Which side the estimate is on, whatever that proves; above 0 it keeps the limit: the room left, in requests."""

    def __add__(self, other: Evidence) -> Evidence:
        """Of two independent samples."""
        return Evidence(self.met + other.met, self.not_met + other.not_met, self.lean + other.lean)

    def status(self, tail: float = TAIL_OF_SEQUENCE) -> bool | None:
        """True is met, False is not met, each with a chance of error of at most ``tail``; None is undecided."""
        enough = -math.log(tail)
        return True if self.met >= enough else False if self.not_met >= enough else None


NOTHING = Evidence(0.0, 0.0)


def as_far_as(found: Evidence, chances: tuple[float, float] | None) -> Evidence:
    """``found``, as far as what does not grow with time lets it be said: ``chances`` are those of something so far on the side
    that is met, and on the other, by how those who sent the requests differ. They are asked for at half of the tail."""
    if chances is None:
        return found
    met, not_met = (-math.log(2 * chance) if chance > 0 else math.inf for chance in chances)
    return Evidence(min(found.met, met), min(found.not_met, not_met), found.lean)


def block_length(shortest_s: float) -> float:
    """Seconds of a block, for windows that may end after ``shortest_s``: 5, and less under 30."""
    return min(BLOCK_S, shortest_s / BLOCKS_AT_FIRST)


def all_of(evidence: list[Evidence]) -> Evidence:
    """That all limits are kept is as sure as of the least sure; that one is not, as of the surest, paid for by their number."""
    if not evidence:
        return NOTHING
    against = max(item.not_met for item in evidence) - math.log(len(evidence))
    return Evidence(min(item.met for item in evidence), against, min(item.lean for item in evidence))


OF_SCREENS = 0.25
"""The part of the chance of error that limits have which nobody asked for."""


def ruled_out(found: Evidence, screens: list[Evidence]) -> Evidence:
    """``found``, and what limits that nobody asked for say: they only tell against a level. While one leans against it, what was
    seen counts for nothing that is met."""
    if not screens:
        return found
    each = [(found.not_met, 1 - OF_SCREENS), *((item.not_met, OF_SCREENS / len(screens)) for item in screens)]
    against = float(special.logsumexp([log for log, _ in each], b=[weight for _, weight in each]))
    leaning = [item.lean for item in screens if item.lean < 0]
    return Evidence(min(found.met, 0.0) if leaning else found.met, against, min([found.lean, *leaning]))


def joined(slices: Floats, size: int) -> Floats:
    """Sums of ``size`` neighbouring slices (rows); the last ones, too few for a block, are added to the last block."""
    blocks = max(1, len(slices) // size)
    starts = np.arange(blocks) * size
    return np.asarray(np.add.reduceat(slices, starts, axis=0)) if len(slices) else slices


def independent_blocks(hits: Floats, counted: Floats, slice_s: float, block_s: float = BLOCK_S) -> tuple[Floats, Floats]:
    """Slices of ``slice_s`` joined to blocks of at least ``block_s``, and these by twos while neighbours resemble each other."""
    size = max(1, math.ceil(block_s / slice_s - 1e-9))
    while True:
        blocks = joined(hits, size), joined(counted, size)
        if len(blocks[0]) < 2 * FEWEST_BLOCKS or not _resemble(*blocks):
            return blocks
        size *= 2


def _resemble(hits: Floats, counted: Floats) -> bool:
    """Whether neighbouring blocks deviate alike; asked strictly, as joining too many costs little, and too few is wrong."""
    total = float(counted.sum())
    surplus = hits - counted * (float(hits.sum()) / total if total else 0.0)
    spread = squares(surplus)
    return spread > 0 and inner(surplus[1:], surplus[:-1]) / spread > 0.7 / math.sqrt(len(surplus))


def share_evidence(hits: Floats, counted: Floats, limit: float) -> Evidence:
    """Whether the share of ``hits`` in ``counted`` is **at most** ``limit``, from independent blocks."""
    if not 0 < limit < 1:
        return _of_certain(float(hits.sum()), limit)
    room = float(counted.sum() - hits.sum() / limit)
    return Evidence(_log_wealth(hits, counted, limit, -1), _log_wealth(hits, counted, limit, 1), room)


def _of_certain(hits: float, limit: float) -> Evidence:
    """A limit of 1 is always kept; one of 0 until the first hit, and never shown to be."""
    if limit >= 1:
        return Evidence(math.inf, -math.inf, 1.0)
    return Evidence(0.0, math.inf, -hits) if hits else NOTHING


def _log_wealth(hits: Floats, counted: Floats, limit: float, sign: int) -> float:
    """The log of what bets on a share above (1) or below (-1) ``limit`` have made of 1."""
    largest = float(counted.max(initial=0.0))
    if largest == 0:
        return 0.0
    won = sign * (hits - limit * counted) / largest
    stake = STAKES / (limit if sign > 0 else 1 - limit)
    grown = np.log(np.maximum(1 + np.outer(0.999 * stake, won), 1e-12)).sum(axis=1)
    return float(special.logsumexp(grown, b=WEIGHTS))


def blocks_to_show(limit: float, tail: float = TAIL_OF_SEQUENCE) -> int:
    """How many blocks without a single hit show that the share is at most ``limit`` (above 0)."""

    def short(blocks: int) -> bool:
        return _log_wealth(np.zeros(blocks), np.ones(blocks), limit, -1) < -math.log(tail)

    most = 1
    while short(most):
        most *= 2
    return bisect.bisect_left(range(most + 1), True, lo=most // 2, key=lambda blocks: not short(blocks)) if most > 1 else 1


def share_sequence(hits: Floats, counted: Floats, tail: float = TAIL_OF_SEQUENCE) -> Interval:
    """The confidence sequence of a share: the limits that neither bet has won against."""
    total, enough = float(counted.sum()), -math.log(tail)
    if not total:
        return 0.0, 1.0
    share = min(max(float(hits.sum()) / total, 1e-9), 1 - 1e-9)

    def short(limit: float, sign: int) -> float:
        return _log_wealth(hits, counted, limit, sign) - enough

    low = optimize.brentq(short, 1e-9, share, args=(1,), xtol=1e-7) if short(1e-9, 1) > 0 > short(share, 1) else 0.0
    high = optimize.brentq(short, share, 1 - 1e-9, args=(-1,), xtol=1e-7) if short(1 - 1e-9, -1) > 0 > short(share, -1) else 1.0
    return float(low), float(high)


def mean_evidence(sums: Floats, counted: Floats, limit: float) -> Evidence:
    """Whether the mean, Σ sums / Σ counted, is **at most** ``limit``, from independent blocks; nothing of fewer than 40."""
    error = _error(sums, counted)
    if error is None:
        return NOTHING
    mean = float(sums.sum() / counted.sum())
    room = (1 - mean / limit) * float(counted.sum())
    if error <= 1e-9 * abs(mean):
        return Evidence(math.inf, 0.0, room) if mean <= limit * (1 + 1e-9) else Evidence(0.0, math.inf, room)
    met, not_met = (_log_mixture(sign * (limit - mean) / error, len(sums)) for sign in (1, -1))
    return Evidence(met, not_met, room)


def mean_sequence(sums: Floats, counted: Floats, tail: float = TAIL_OF_SEQUENCE) -> Interval | None:
    """The asymptotic confidence sequence of a mean; None of fewer than 40 blocks."""
    error = _error(sums, counted)
    if error is None:
        return None
    mean = float(sums.sum() / counted.sum())
    reach = error * errors_reached(len(sums), tail)
    return mean - reach, mean + reach


def errors_reached(blocks: int, tail: float = TAIL_OF_SEQUENCE) -> float:
    """How many standard errors the sequence of a mean reaches to either side, seen in so many blocks."""
    enough = -math.log(tail)
    return float(optimize.brentq(lambda z: _log_mixture(z, blocks) - enough, 0.0, 1e3))


def _error(sums: Floats, counted: Floats) -> float | None:
    """The standard error of a ratio of sums, from how blocks scatter; wider by Student's factor, as it is itself estimated."""
    blocks, total = len(sums), float(counted.sum())
    if blocks < FEWEST_FOR_A_MEAN or total <= 0:
        return None
    surplus = sums - counted * float(sums.sum()) / total
    factor = float(special.stdtrit(blocks - 1, 0.9975) / special.ndtri(0.9975))
    return factor * math.sqrt(squares(surplus) * blocks / (blocks - 1)) / total


def _log_mixture(z: float, blocks: int) -> float:
    """Robbins' one-sided normal mixture: the log e-value of a deviation of ``z`` standard errors seen in so many blocks."""
    ratio = blocks / PRIOR_BLOCKS
    scaled = max(z, 0.0) ** 2 * ratio / (1 + ratio) / 2
    half = float(special.log_ndtr(z * math.sqrt(ratio / (1 + ratio))))
    return math.log(2) + half + (scaled if z > 0 else z**2 * ratio / (1 + ratio) / 2) - math.log1p(ratio) / 2

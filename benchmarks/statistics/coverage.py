"""Do 95 % intervals cover the truth in 95 % of runs? On simulated load-test data whose truth is known.

Each row simulates 10,000 runs of one kind of data: independent values, first-order autoregression (AR), values that share a
batch's state (requests served together), heavy tails, slow spells. All but the Pareto rows are log-normal. For the mean and each
percentile: the share of the runs whose interval held the truth, ours and the naive one (independent values; normal for the mean,
order statistics for percentiles).

    python benchmarks/statistics/coverage.py [--runs 10000] [--seed 1]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, signal, special, stats

from fmbench.core.intervals import Dependence, dependence, mean_interval, percentile_interval, quantile_interval
from fmbench.core.quantiles import stated_quantile
from fmbench.core.samples import PERCENTILES

Floats = NDArray[np.float64]
SIGMA = 0.5


@dataclass(frozen=True)
class Kind:
    """Data whose every value has the same known distribution."""

    name: str
    count: int
    draw: Callable[[np.random.Generator, int], Floats]
    mean: float
    quantile: Callable[[float], float]


def lognormal(name: str, count: int, normal: Callable[[np.random.Generator, int], Floats], sigma: float = SIGMA) -> Kind:
    """Data that are e to the power of a standard normal series times sigma."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        return np.exp(sigma * normal(rng, n))

    return Kind(name, count, draw, math.exp(sigma**2 / 2), lambda share: math.exp(sigma * stats.norm.ppf(share)))


def autoregression(lag: float) -> Callable[[np.random.Generator, int], Floats]:
    """A stationary first-order autoregression with standard normal values."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        shocks = rng.standard_normal(n + 1000) * math.sqrt(1 - lag**2)
        return np.asarray(signal.lfilter([1], [1, -lag], shocks)[1000:])

    return draw


def batches(size: int, shared: float) -> Callable[[np.random.Generator, int], Floats]:
    """Standard normal values of which neighbours in a batch share part of the variance."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        offset = int(rng.integers(size))
        common = np.repeat(rng.standard_normal(n // size + 2), size)[offset : offset + n]
        return math.sqrt(shared) * common + math.sqrt(1 - shared) * rng.standard_normal(n)

    return draw


def independent(rng: np.random.Generator, n: int) -> Floats:
    """Standard normal values."""
    return rng.standard_normal(n)


def pareto(name: str, count: int, normal: Callable[[np.random.Generator, int], Floats], shape: float = 3.0) -> Kind:
    """Data with a power tail whose ranks are those of a standard normal series."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        return np.asarray(special.ndtr(-normal(rng, n)) ** (-1 / shape))

    return Kind(name, count, draw, shape / (shape - 1), lambda share: (1 - share) ** (-1 / shape))


def spells(count: int, share: float, length: float, slower: float) -> Kind:
    """Log-normal values, and ``slower`` times them in spells that come at random and take up a ``share`` of the requests."""
    usual = length * (1 - share) / share

    def draw(rng: np.random.Generator, n: int) -> Floats:
        turns = 8 + 4 * round(n / (usual + length))
        lengths = np.stack([rng.geometric(1 / usual, turns), rng.geometric(1 / length, turns)], axis=1).ravel()
        state = np.repeat(np.tile([1.0, slower], turns), lengths)
        begin = int(rng.integers(len(state) - n))
        return state[begin : begin + n] * np.exp(SIGMA * rng.standard_normal(n))

    def below(value: float) -> float:
        parts = ((1 - share) * stats.norm.cdf(math.log(value) / SIGMA), share * stats.norm.cdf(math.log(value / slower) / SIGMA))
        return float(sum(parts))

    def quantile(wanted: float) -> float:
        return float(optimize.brentq(lambda value: below(value) - wanted, 1e-3, 1e3))

    mean = math.exp(SIGMA**2 / 2) * (1 - share + share * slower)
    return Kind(f"{100 * share:g} % in slow spells of {length:g}", count, draw, mean, quantile)


KINDS = [
    lognormal("independent", 100, independent),
    lognormal("independent", 400, independent),
    lognormal("independent, sigma 1", 1000, independent, 1.0),
    pareto("Pareto, shape 3", 400, independent),
    pareto("Pareto, shape 3", 2000, independent),
    pareto("Pareto, shape 3, AR 0.6", 4000, autoregression(0.6)),
    lognormal("AR 0.3", 400, autoregression(0.3)),
    lognormal("AR 0.6", 400, autoregression(0.6)),
    lognormal("AR 0.6", 1000, autoregression(0.6)),
    lognormal("AR 0.9", 4000, autoregression(0.9)),
    lognormal("AR 0.9", 10000, autoregression(0.9)),
    lognormal("batches of 8, half shared", 1000, batches(8, 0.5)),
    lognormal("batches of 32, half shared", 4000, batches(32, 0.5)),
    lognormal("batches of 32, half shared", 10000, batches(32, 0.5)),
    spells(10000, 0.1, 20, 3.0),
    spells(2000, 0.1, 20, 3.0),
    lognormal("AR 0.9, too short", 200, autoregression(0.9)),
]


def naive(values: Floats, ascending: Floats, share: float | None) -> tuple[float, float] | None:
    """The interval that takes all values for independent ones."""
    alone = Dependence(len(values), len(values), 1.0)
    if share is not None:
        return quantile_interval(ascending, share, alone)
    error = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(values.mean()) - error, float(values.mean()) + error


def covers(interval: tuple[float, float] | None, truth: float) -> bool:
    return interval is not None and interval[0] <= truth <= interval[1]


def study(kind: Kind, runs: int, rng: np.random.Generator) -> tuple[dict[str, list[int]], float]:
    """``figure → [runs, covered by ours, covered by the naive one]``, and the mean effective sample size."""
    hits = {name: [0, 0, 0] for name in ("mean", *(f"p{percent}" for percent in PERCENTILES))}
    effective = 0.0
    for _ in range(runs):
        values = kind.draw(rng, kind.count)
        ascending, known = np.sort(values), dependence(values)
        effective += known.effective / runs
        count(hits["mean"], mean_interval(values, known), naive(values, ascending, None), kind.mean)
        for percent in PERCENTILES:
            if stated_quantile(ascending, percent / 100) is not None:
                ours = percentile_interval(values, ascending, percent / 100, None)
                count(hits[f"p{percent}"], ours, naive(values, ascending, percent / 100), kind.quantile(percent / 100))
    return hits, effective


def count(hit: list[int], ours: tuple[float, float] | None, theirs: tuple[float, float] | None, truth: float) -> None:
    hit[0] += 1
    hit[1] += covers(ours, truth)
    hit[2] += covers(theirs, truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    print(f"Covered by the 95 % interval, % of {given.runs:,} runs: ours (naive)\n")
    names = ("mean", *(f"p{percent}" for percent in PERCENTILES))
    print(f"| data | n | n effective | {' | '.join(names)} |\n|---|--:|--:|{'--:|' * len(names)}")
    for kind in KINDS:
        hits, effective = study(kind, given.runs, rng)
        cells = [
            f"{100 * ours / total:.1f} ({100 * theirs / total:.1f})" if total else "-" for total, ours, theirs in hits.values()
        ]
        print(f"| {kind.name} | {kind.count:,} | {effective:,.0f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

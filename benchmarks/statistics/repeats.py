"""How many repeats does it take to tell how hours differ? Coverage of 95 % intervals where every repeat has a level of its own.

Repeats of 200 log-normal requests (sigma 0.5); each repeat's level is log-normal around 1 with the sigma of its row. The truth is
that of all hours.

    python benchmarks/statistics/repeats.py [--runs 2000] [--seed 1]
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from scipy import stats

from fmbench.core.intervals import dependence, mean_interval, percentile_interval

SIGMA = 0.5
REQUESTS = 200
REPEATS = (2, 3, 4, 5, 8)
HOURS = (0.02, 0.05, 0.1, 0.2)


def covered(rng: np.random.Generator, hours: float, repeats: int, runs: int) -> tuple[float, float]:
    """The share of the runs whose interval holds the true mean, and the true p95."""
    blocks = np.repeat(np.arange(repeats, dtype=np.float64), REQUESTS)
    sigma = math.hypot(SIGMA, hours)
    truths = math.exp(sigma**2 / 2), math.exp(sigma * float(stats.norm.ppf(0.95)))
    hits = np.zeros(2)
    for _ in range(runs):
        levels = np.repeat(rng.standard_normal(repeats), REQUESTS)
        values = np.exp(SIGMA * rng.standard_normal(len(blocks)) + hours * levels)
        ascending = np.sort(values)
        mean = mean_interval(values, dependence(values, blocks))
        tail = percentile_interval(values, ascending, 0.95, blocks)
        hits += [found is not None and found[0] <= truth <= found[1] for found, truth in zip((mean, tail), truths, strict=True)]
    return float(hits[0] / runs), float(hits[1] / runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    print(f"Covered by the 95 % interval, % of {given.runs:,} runs: mean, p95\n")
    print(f"| hours differ by | {' | '.join(f'{repeats} repeats' for repeats in REPEATS)} |\n|---|{'--:|' * len(REPEATS)}")
    for hours in HOURS:
        cells = [covered(rng, hours, repeats, given.runs) for repeats in REPEATS]
        print(f"| {100 * hours:g} % | {' | '.join(f'{100 * mean:.1f}, {100 * tail:.1f}' for mean, tail in cells)} |", flush=True)


if __name__ == "__main__":
    main()

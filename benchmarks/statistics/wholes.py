"""How often do families of 10 cells with 5 and 8 repeats a side alarm, by NumPy alone: none of this project's code.

Eight figures a cell of 80 answers a repeat (median and p95 of two latencies, a mean of each kind, a rate, an error rate of 1 %),
Student's t between the repeats' figures, Simes over the figures, Holm's first step over the cells. With and without the least
variance of an error rate that ``core.contrast`` takes: that of chance. Few failures that happen to be equally many in each repeat
are no certainty.

    python benchmarks/statistics/wholes.py [--cells 30000] [--seed 2]
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
ANSWERS, FAILING, FAMILY, AT_ONCE = 80, 0.01, 10, 6000


def side(rng: np.random.Generator, cells: int, repeats: int) -> list[Floats]:
    """A figure's value of each repeat, cells by repeats; the error rate comes last."""
    shape = (cells, repeats, ANSWERS)
    e2e = np.exp(0.4 * rng.standard_normal(shape))
    ttft, usd = rng.uniform(0.2, 0.4, shape) * e2e, rng.lognormal(0, 0.2, shape)
    errors = rng.binomial(ANSWERS, FAILING, (cells, repeats)) / ANSWERS
    rate = np.log((1 - errors) / e2e.mean(axis=2))
    percentiles = [np.log(np.quantile(values, share, axis=2)) for values in (ttft, e2e) for share in (0.5, 0.95)]
    return [*percentiles, percentiles[2], np.log(usd.mean(axis=2)), rate, errors]


def chances(a: Floats, b: Floats, errors: bool, floor: bool) -> Floats:
    repeats = a.shape[1]
    variance = (a.var(axis=1, ddof=1) + b.var(axis=1, ddof=1)) / 2
    if errors and floor:
        share = (a.mean(axis=1) + b.mean(axis=1)) / 2
        variance = np.maximum(variance, share * (1 - share) / ANSWERS)
    t = (b.mean(axis=1) - a.mean(axis=1)) / np.sqrt(np.maximum(variance * 2 / repeats, 1e-30))
    return np.asarray(2 * special.stdtr(2 * repeats - 2, -np.abs(t)))


def alarms(rng: np.random.Generator, cells: int, repeats: int, floor: bool) -> tuple[int, int]:
    """How many families alarm, of how many."""
    hits = total = 0
    for _ in range(cells // AT_ONCE):
        pairs = list(zip(side(rng, AT_ONCE, repeats), side(rng, AT_ONCE, repeats), strict=True))
        found = np.sort([chances(a, b, place == len(pairs) - 1, floor) for place, (a, b) in enumerate(pairs)], axis=0)
        simes = (found * len(pairs) / np.arange(1, len(pairs) + 1)[:, None]).min(axis=0)
        smallest = simes.reshape(-1, FAMILY).min(axis=1)
        hits, total = hits + int((smallest * FAMILY < 0.05).sum()), total + len(smallest)
    return hits, total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=2)
    given = parser.parse_args()
    for repeats in (5, 8):
        for floor in (False, True):
            hits, total = alarms(np.random.default_rng(given.seed), given.cells, repeats, floor)
            how = "at least chance" if floor else "as it scatters"
            print(
                f"{repeats} repeats, variance of the error rate {how}: {hits} of {total:,} ({100 * hits / total:.1f} %)",
                flush=True,
            )


if __name__ == "__main__":
    main()

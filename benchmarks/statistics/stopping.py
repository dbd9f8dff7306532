"""``load.until: decided``: how often is a window that may end early wrong, and do its intervals hold?

Windows of 600 s with 20 requests a second are looked at ten times from 60 s on, and end when the evidence decides. The share of
slow requests is exactly at its limit (5 %: any "met" is wrong), below it or above. Every process is stationary, and its true
share known:

- independent requests; a first-order autoregression of 0.9 between neighbours; a queue (M/M/1 at 80 %);
- *spells*: all requests within spells of 5 s are slow, no other is; *half spells*: six of ten within, some outside.

    python benchmarks/statistics/stopping.py [--runs 1000] [--seed 1]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from fmbench.core.looks import look_times
from fmbench.core.sequential import independent_blocks, share_evidence, share_sequence

Floats = NDArray[np.float64]
Slices = tuple[Floats, Floats]
Process = Callable[[np.random.Generator, float], Slices]
SECONDS, RATE, FIRST_S, LIMIT = 600, 20, 60, 0.05


def independent(rng: np.random.Generator, share: float) -> Slices:
    counted = rng.poisson(RATE, SECONDS)
    return rng.binomial(counted, share).astype(float), counted.astype(float)


def autoregression(rng: np.random.Generator, share: float) -> Slices:
    shocks = rng.standard_normal(SECONDS * RATE + 500) * math.sqrt(1 - 0.9**2)
    slow = signal.lfilter([1], [1, -0.9], shocks)[500:] > stats.norm.isf(share)
    return slow.reshape(SECONDS, RATE).sum(axis=1).astype(float), np.full(SECONDS, float(RATE))


def queue(rng: np.random.Generator, share: float) -> Slices:
    """Sojourn times of M/M/1 in equilibrium: exponential, so that their exceedances are known."""
    serve, count = RATE / 0.8, SECONDS * RATE * 2
    gaps, served = rng.exponential(1 / RATE, count), rng.exponential(1 / serve, count)
    steps = np.concatenate([[0.0], np.cumsum(served[:-1] - gaps[1:])])
    slow = steps - np.minimum.accumulate(steps) + served > -math.log(share) / (serve - RATE)
    at = np.cumsum(gaps) - 100
    kept = (at >= 0) & (at < SECONDS)
    place = at[kept].astype(int)
    return np.bincount(place, weights=slow[kept], minlength=SECONDS), np.bincount(place, minlength=SECONDS).astype(float)


def spells(rng: np.random.Generator, share: float) -> Slices:
    return _spells(rng, share, 1.0, 0.0)


def half_spells(rng: np.random.Generator, share: float) -> Slices:
    return _spells(rng, share, 0.6, share / 2)


def _spells(rng: np.random.Generator, share: float, inside: float, outside: float, length: float = 5.0) -> Slices:
    part = (share - outside) / (inside - outside)
    gap = length * (1 - part) / part
    turns = 40 + int(4 * SECONDS / (gap + length))
    edges = np.cumsum(np.stack([rng.exponential(gap, turns), rng.exponential(length, turns)], axis=1).ravel())
    begin = float(rng.uniform(0.1, 0.3)) * edges[-1]
    times = begin + (np.arange(SECONDS * 10) + 0.5) / 10
    in_spell = (np.searchsorted(edges, times) % 2 == 1).reshape(SECONDS, 10).mean(axis=1)
    return rng.binomial(RATE, in_spell * inside + (1 - in_spell) * outside).astype(float), np.full(SECONDS, float(RATE))


PROCESSES: dict[str, Process] = {
    "independent": independent,
    "autoregression": autoregression,
    "queue": queue,
    "spells": spells,
    "half spells": half_spells,
}


def ended(rng: np.random.Generator, process: Process, share: float) -> tuple[bool | None, float, bool]:
    """How a window ended (met, not met, None at its cap), when, and whether its interval then held the true share."""
    hits, counted = process(rng, share)
    for seconds in look_times(FIRST_S, SECONDS):
        seen = round(seconds)
        blocks = independent_blocks(hits[:seen], counted[:seen], 1.0)
        status = share_evidence(*blocks, LIMIT).status()
        if status is not None:
            break
    low, high = share_sequence(*blocks)
    return status, seconds, low <= share <= high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("| process | true share | met | not met | to the cap | seconds, median | interval holds | of those that ended early |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, process in PROCESSES.items():
        for share in (LIMIT, 0.01, 0.02, 0.1):
            rng = np.random.default_rng([given.seed, round(1000 * share), len(name)])
            found = [ended(rng, process, share) for _ in range(given.runs)]
            early = [held for status, _, held in found if status is not None]
            met, not_met = (sum(status is wanted for status, _, _ in found) / given.runs for wanted in (True, False))
            held = sum(held for *_, held in found) / given.runs
            late = f"{100 * sum(early) / len(early):.1f} %" if early and share != LIMIT else "-"
            print(
                f"| {name} | {100 * share:g} % | {100 * met:.1f} % | {100 * not_met:.1f} % | {100 * (1 - met - not_met):.1f} % | "
                f"{np.median([seconds for _, seconds, _ in found]):.0f} | {100 * held:.1f} % | {late} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

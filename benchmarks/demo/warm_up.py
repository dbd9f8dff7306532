"""``python -m benchmarks.demo.warm_up``: how often a window is said to have begun before the latency was steady.

The demo's fullest cell, played by itself: 40 users before 24 slots, whose latency grows until the queue is there. A row for each
warm-up: in how many windows the cut of MSER-5 alone is a tenth of the window late, and in how many the finding is made. The queue
is full when the last user has started: one that begins later is called late by chance, one that begins before it with reason.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import yaml

from benchmarks.demo import CONFIG
from benchmarks.demo.truth import Loop
from fmbench.core.findings.steady_state import UNSTEADY_SHARE
from fmbench.core.steady import steady_state, unsteady_s

USERS, PROMPTS = 40, range(2300, 3400, 27)


@dataclass(frozen=True)
class Cell:
    """How a cell of the demo is warmed up and measured, seconds."""

    spread_s: float
    warmup_s: float
    window_s: float


CELLS = (Cell(0.6, 1.8, 3), Cell(0.5, 1.2, 2.4), Cell(1, 1.2, 2.4), Cell(1, 0.8, 3), Cell(0.5, 0.2, 3), Cell(1, 0.4, 3))


def main() -> None:
    """Play, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo.warm_up", description=__doc__)
    parser.add_argument("--windows", type=int, default=1000, help="of each kind (default 1000)")
    options = parser.parse_args()
    profile = next(iter(yaml.safe_load(CONFIG.read_text())["simulator"]["models"].values()))
    print("| users start over | warm-up | window | a tenth late by the cut alone | a finding |\n|--:|--:|--:|--:|--:|")
    for cell in CELLS:
        late = [_late(cell, profile, seed) for seed in range(options.windows)]
        shares = (100 * sum(one[which] > UNSTEADY_SHARE for one in late) / len(late) for which in (0, 1))
        alone, found = (f"{share:.1f} %" for share in shares)
        print(f"| {cell.spread_s} s | {cell.warmup_s} s | {cell.window_s} s | {alone} | {found} |", flush=True)


def _late(cell: Cell, profile: dict[str, float], seed: int) -> tuple[float, float]:
    """The share of the window before the cut, and the share that the report tells."""
    end = cell.warmup_s + cell.window_s
    answers = Loop(profile, PROMPTS, USERS, cell.spread_s, seed).asked_by(end)
    times, series = np.array([one.asked for one in answers]), np.array([one.e2e_s for one in answers])
    steady = steady_state(times, series)
    if steady is None:
        return 0.0, 0.0
    told = unsteady_s(steady, times, series, cell.warmup_s, end)
    return max(0.0, steady.steady_from - cell.warmup_s) / cell.window_s, told / cell.window_s


if __name__ == "__main__":
    main()

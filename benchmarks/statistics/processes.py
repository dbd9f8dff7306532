"""Do the intervals of a whole cell hold? Closed loops whose truth is known, run through ``summarise`` as a run is.

Each row simulates 1,000 cells of users who send a request when their last one is answered (and pause a second after a failure):
requests overlap, and a slow spell slows all that are sent inside it. For the mean and percentiles of the latency, transactions a
minute and the error rate: the share of the cells whose 95 % interval held the truth, and how wide it was (median) beside an
**oracle's**, which is symmetric around the truth and holds 95 % of the estimates. The truth is of all requests of three times
as many further cells together (of a rate: the mean of theirs).

    python benchmarks/statistics/processes.py [--runs 1000] [--seed 1] [--only NAME]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from loops import Floats, Loop, Process, frame, line, lognormal, loops, pareto

from fmbench.core.summary import summarise

FIGURES = ("mean", "p50", "p95", "p99", "rate", "errors")
AT_ONCE = 50

PROCESSES = [
    Process("independent", 8, 120, lognormal(0.5)),
    Process("heavy tails (log-normal, sigma 1)", 8, 240, lognormal(1.0)),
    Process("heavier tails (Pareto, shape 2.5)", 8, 240, pareto(2.5)),
    Process("slow spells of 5 s, 10 % of the time", 8, 600, lognormal(0.3), slower=3.0, share=0.1),
    Process("throttle bursts of 5 s, 10 % of the time", 8, 600, lognormal(0.3), refused=0.8, share=0.1),
    Process("failures, one in fifty", 8, 120, lognormal(0.5), failing=0.02),
    Process("users differ by 10 %", 16, 60, lognormal(0.5), differ=0.1),
    Process("users differ by 30 %", 16, 60, lognormal(0.5), differ=0.3),
    Process("eight users differ by 30 %", 8, 60, lognormal(0.5), differ=0.3),
    Process("six users differ by 10 %", 6, 60, lognormal(0.5), differ=0.1),
    Process("four users differ by 10 %", 4, 60, lognormal(0.5), differ=0.1),
    Process("four users differ by 30 %", 4, 60, lognormal(0.5), differ=0.3),
    Process("four users, alike", 4, 60, lognormal(0.5)),
    Process("eight load processes differ by 10 %", 32, 60, lognormal(0.5), hosts=8, hosts_differ=0.1),
    Process("eight load processes differ by 30 %", 32, 60, lognormal(0.5), hosts=8, hosts_differ=0.3),
    Process("drift of 25 % to either side", 8, 240, lognormal(0.5), drift=0.5),
]


def cells(rng: np.random.Generator, process: Process, count: int) -> Iterator[Loop]:
    """So many cells, made some at a time."""
    for begun in range(0, count, AT_ONCE):
        yield from loops(rng, process, min(AT_ONCE, count - begun))


def estimates(loop: Loop) -> list[float]:
    """The same figures, by NumPy alone."""
    seconds, good = loop.process.seconds, ~loop.failed
    sent, ended = loop.sent[good], (loop.sent + loop.took)[good]
    inside = (np.clip(ended, 0, seconds) - np.clip(sent, 0, seconds)) / (ended - sent)
    answers, failed = loop.answers, loop.failed[loop.sent >= 0]
    return [answers.mean(), *np.quantile(answers, [0.5, 0.95, 0.99]), inside.sum() / seconds * 60, failed.mean()]


def intervals(loop: Loop) -> list[Any]:
    row = summarise(frame(loop), {"cells": [line(loop.process)], "config": {}}, pd.DataFrame())["cells"][0]
    latency = row["e2e_s"]["ci95"]
    return [*(latency[name] for name in FIGURES[:4]), row["transactions_per_minute_ci95"], row["error_rate"]["ci95"]]


def study(process: Process, runs: int, seed: int) -> tuple[Floats, Floats]:
    """Coverage in %, and width as a multiple of the oracle's, of each figure; NaN where most cells are too small to state it."""
    rng = np.random.default_rng([seed, *process.name.encode()])
    found = [intervals(loop) for loop in cells(rng, process, runs)]
    seen, values, tried, failed = [], [], 0, 0
    for loop in cells(rng, process, 3 * runs):
        seen.append(estimates(loop))
        values.append(loop.answers.astype(np.float32))
        tried, failed = tried + int((loop.sent >= 0).sum()), failed + int(loop.failed[loop.sent >= 0].sum())
    pooled = np.concatenate(values)
    rate = float(np.mean([row[4] for row in seen]))
    truth = np.array([pooled.mean(dtype=float), *np.quantile(pooled, [0.5, 0.95, 0.99]), rate, failed / tried])
    known = np.array([[pair or (np.nan, np.nan) for pair in row] for row in found], dtype=float)
    covered = (known[:, :, 0] <= truth) & (truth <= known[:, :, 1])
    oracle = np.quantile(np.abs(np.array(seen) - truth), 0.95, axis=0)
    width = np.nanmedian(known[:, :, 1] - known[:, :, 0], axis=0) / np.maximum(2 * oracle, 1e-12)
    stated = ~np.isnan(known[:, :, 0])
    return np.where(stated.mean(axis=0) > 0.5, 100 * covered.sum(axis=0) / np.maximum(stated.sum(axis=0), 1), np.nan), width


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    print(f"Covered by the 95 % interval, % of {given.runs:,} cells (width, by the oracle's)\n")
    print(f"| process | users | seconds | {' | '.join(FIGURES)} |\n|---|--:|--:|{'--:|' * len(FIGURES)}")
    for process in PROCESSES:
        if given.only in process.name:
            covered, width = study(process, given.runs, given.seed)
            shown = ["-" if np.isnan(part) else f"{part:.1f} ({wide:.2f})" for part, wide in zip(covered, width, strict=True)]
            if not (process.failing or process.refused):
                shown[-1] = "-"
            print(f"| {process.name} | {process.users} | {process.seconds:g} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()

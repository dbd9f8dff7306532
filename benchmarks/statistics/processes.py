"""Do the intervals of a whole cell hold? Closed loops whose truth is known, run through ``summarise`` as a run is.

Each row simulates 1,000 cells of users who send a request when their last one is answered (and pause a second after a failure):
requests overlap, and a slow spell catches all that are in flight. For the mean, p50 and p95 of the latency, transactions a minute
and the error rate: the share of the cells whose 95 % interval held the truth, and how wide it was beside an **oracle's**, which
is symmetric around the truth and holds 95 % of the estimates. The truth is what four times as many cells have on average.

    python benchmarks/statistics/processes.py [--runs 1000] [--seed 1] [--only NAME]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmbench.core.summary import summarise

Floats = NDArray[np.float64]
PAUSE_S = 1.0
FIGURES = ("mean", "p50", "p95", "rate", "errors")


@dataclass(frozen=True)
class Process:
    """Cells of ``users`` for ``seconds``. ``own(rng, shape)``: a request's latency, seconds. In spells, which take a ``share``
    of the time, latencies are ``slower`` and so many are ``refused``. ``differ``: how much users do (log-normal)."""

    name: str
    users: int
    seconds: float
    own: Callable[[np.random.Generator, tuple[int, ...]], Floats]
    slower: float = 1.0
    refused: float = 0.0
    share: float = 0.0
    length: float = 5.0
    differ: float = 0.0
    failing: float = 0.0


def lognormal(sigma: float) -> Callable[[np.random.Generator, tuple[int, ...]], Floats]:
    return lambda rng, shape: np.exp(sigma * rng.standard_normal(shape))


def pareto(shape: float) -> Callable[[np.random.Generator, tuple[int, ...]], Floats]:
    return lambda rng, size: 0.5 * (1 + rng.pareto(shape, size))


PROCESSES = [
    Process("independent", 8, 120, lognormal(0.5)),
    Process("heavy tails (log-normal, sigma 1)", 8, 240, lognormal(1.0)),
    Process("heavier tails (Pareto, shape 2.5)", 8, 240, pareto(2.5)),
    Process("slow spells of 5 s, 10 % of the time", 8, 600, lognormal(0.3), slower=3.0, share=0.1),
    Process("throttle bursts of 5 s, 10 % of the time", 8, 600, lognormal(0.3), refused=0.8, share=0.1),
    Process("failures, one in fifty", 8, 120, lognormal(0.5), failing=0.02),
    Process("users differ by 10 %", 16, 60, lognormal(0.5), differ=0.1),
    Process("users differ by 30 %", 16, 60, lognormal(0.5), differ=0.3),
]


def spells(rng: np.random.Generator, process: Process) -> Floats:
    """Begins and ends of spells, from before the window on."""
    if not process.share:
        return np.full((1, 2), -1.0)
    gap = process.length * (1 - process.share) / process.share
    count = int(4 * process.seconds / (gap + process.length)) + 30
    edges = np.cumsum(np.stack([rng.exponential(gap, count), rng.exponential(process.length, count)], axis=1).ravel())
    return edges.reshape(-1, 2) - float(rng.uniform(0, edges[-1] / 2))


def cell(rng: np.random.Generator, process: Process) -> pd.DataFrame:
    """The records of one cell, warm-up and drain included."""
    warm, users = 20.0, process.users
    slow = spells(rng, process)
    slow = slow + warm
    factor = np.exp(process.differ * rng.standard_normal(users) - process.differ**2 / 2)
    now, rows = rng.uniform(0, 1, users), []
    while (busy := now < warm + process.seconds).any():
        inside = np.searchsorted(slow[:, 0], now, side="right") > np.searchsorted(slow[:, 1], now, side="right")
        took = factor * process.own(rng, (users,)) * np.where(inside, process.slower, 1.0)
        failed = rng.random(users) < np.where(inside, process.refused, process.failing)
        took = np.where(failed, 0.05, took)
        rows.append(np.stack([np.arange(users), now, took, failed])[:, busy])
        now = now + took + np.where(failed, PAUSE_S, 0.0)
    user, sent, took, failed = np.concatenate(rows, axis=1)
    return frame(process, user, sent - warm, took, failed.astype(bool))


def frame(process: Process, user: Floats, sent: Floats, took: Floats, failed: NDArray[np.bool_]) -> pd.DataFrame:
    start = 1_790_000_000.0
    return pd.DataFrame(
        {
            "cell": 0,
            "model": "m",
            "bucket": "b",
            "concurrency": process.users,
            "user": user,
            "worker": "w",
            "phase": np.where(sent < 0, "warmup", "measure"),
            "sent_at": start + sent,
            "intended_at": start + sent,
            "ended_at": start + sent + took,
            "e2e_s": took,
            "outcome": np.where(failed, "failed", "ok"),
            "failure": np.where(failed, "throttled", None),
        }
    )


def manifest(process: Process) -> dict[str, Any]:
    start = 1_790_000_000.0
    line = {"cell": 0, "model": "m", "bucket": "b", "concurrency": process.users, "status": "complete", "started_at": start - 20}
    return {"cells": [line | {"measure_at": start, "drain_at": start + process.seconds, "block": 0}], "config": {}}


def estimates(records: pd.DataFrame, process: Process) -> list[float]:
    """The same figures, by NumPy alone."""
    measured = records[records.phase == "measure"]
    ok = measured[measured.outcome == "ok"].e2e_s.to_numpy()
    begin, good = 1_790_000_000.0, records.outcome == "ok"
    sent, ended = (records[name][good].to_numpy() - begin for name in ("sent_at", "ended_at"))
    inside = (np.clip(ended, 0, process.seconds) - np.clip(sent, 0, process.seconds)) / (ended - sent)
    return [ok.mean(), *np.quantile(ok, [0.5, 0.95]), inside.sum() / process.seconds * 60, 1 - len(ok) / len(measured)]


def intervals(records: pd.DataFrame, process: Process) -> list[Any]:
    row = summarise(records, manifest(process), pd.DataFrame())["cells"][0]
    latency = row["e2e_s"]["ci95"]
    return [*(latency[name] for name in FIGURES[:3]), row["transactions_per_minute_ci95"], row["error_rate"]["ci95"]]


def study(process: Process, runs: int, seed: int) -> tuple[Floats, Floats]:
    """Coverage in %, and width as a multiple of the oracle's, of each figure."""
    rng = np.random.default_rng([seed, len(process.name)])
    seen, found = [], []
    for _ in range(runs):
        records = cell(rng, process)
        seen.append(estimates(records, process))
        found.append(intervals(records, process))
    more = [estimates(cell(rng, process), process) for _ in range(3 * runs)]
    truth = pooled(np.array(seen + more))
    known = np.array([[pair or (np.nan, np.nan) for pair in row] for row in found], dtype=float)
    covered = (known[:, :, 0] <= truth) & (truth <= known[:, :, 1])
    oracle = np.quantile(np.abs(np.array(seen + more) - truth), 0.95, axis=0)
    width = np.nanmedian(known[:, :, 1] - known[:, :, 0], axis=0) / np.maximum(2 * oracle, 1e-12)
    return 100 * covered.mean(axis=0), width


def pooled(seen: Floats) -> Floats:
    """The truth of each figure: what the estimates are on average."""
    return np.asarray(seen.mean(axis=0))


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
            shown = [f"{part:.1f} ({wide:.2f})" for part, wide in zip(covered, width, strict=True)]
            if not (process.failing or process.refused):
                shown[-1] = "-"
            print(f"| {process.name} | {process.users} | {process.seconds:g} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()

"""Do both intervals hold where prompts are asked again and again: for *prompts like these*, and for *these prompts*?

Closed loops of 8 users who ask a cell's prompts in turn, a shuffled deck after the other, as a run does. Prompts differ in what
their answers cost and how long they take (by a factor that is log-normal), and in how often they are answered well; answers to
one prompt scatter, too, or are always the same. Each cell draws prompts of its own. The truth for **prompts like these** is that
of all prompts, the one for **these prompts** that of the cell's own, by arithmetic: means in closed form, percentiles as roots of
the mixture's distribution. Widths (median) are beside an **oracle's**, which is symmetric around the truth and holds 95 % of the
estimates (for these prompts, of those that count each prompt alike).

    python benchmarks/statistics/again.py [--runs 1000] [--seed 1]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from loops import Floats, Loop, Process, frame, line, lognormal, loops
from scipy import optimize, special

from fmbench.core.summary import summarise

FIGURES = ("cost", "p50", "p95", "quality")
KEYS = ("usd_per_10k", "e2e_p50_s", "e2e_p95_s", "quality")
ALIKE, THESE = "prompts like these", "these prompts"
USD, AT_ONCE, PER = 1e-3, 50, 10_000


@dataclass(frozen=True)
class Asking:
    """``own``, ``own_cost``: how much answers to one prompt scatter. Prompts are answered well with a chance that is a beta's of
    ``well``; with ``always`` a prompt is answered well always or never."""

    name: str
    process: Process
    own: float
    own_cost: float
    well: tuple[float, float] = (4.0, 2.0)
    always: bool = False


def asking(name: str, prompts: int, seconds: float, own: float, own_cost: float, always: bool = False) -> Asking:
    process = Process(name, 8, seconds, lognormal(own), prompts=prompts, prompts_differ=0.4)
    return Asking(name, process, own, own_cost, always=always)


ROWS = [
    asking("40 prompts, some 10 times each", 40, 60, 0.3, 0.2),
    asking("20 prompts, some 20 times each", 20, 60, 0.3, 0.2),
    asking("100 prompts, some 4 times each", 100, 60, 0.3, 0.2),
    asking("100 prompts, some 2.5 times each", 100, 36, 0.3, 0.2),
    asking("40 prompts, always the same answer", 40, 60, 0.1, 0.0, always=True),
]


@dataclass(frozen=True)
class Seen:
    """One cell: its records' columns, and what is true of its own prompts."""

    loop: Loop
    usd: Floats
    quality: Floats
    truth: Floats


def cells(rng: np.random.Generator, row: Asking, count: int) -> Iterator[Seen]:
    for begun in range(0, count, AT_ONCE):
        for loop in loops(rng, row.process, min(AT_ONCE, count - begun)):
            well = rng.beta(*row.well, len(loop.usual))
            well = (rng.random(len(well)) < well).astype(float) if row.always else well
            own = np.exp(row.own_cost * rng.standard_normal(len(loop.sent)) - row.own_cost**2 / 2)
            usd = USD * loop.usual[loop.prompt] * own
            quality = (rng.random(len(loop.sent)) < well[loop.prompt]).astype(float)
            middle, tail = (percentile_of(loop.usual, row.own, share) for share in (0.5, 0.95))
            yield Seen(loop, usd, quality, np.array([PER * USD * loop.usual.mean(), middle, tail, well.mean()]))


def percentile_of(usual: Floats, own: float, share: float) -> float:
    """The percentile of the mixture of these prompts' log-normal latencies."""

    def below(value: float) -> float:
        return float(special.ndtr(np.log(value / usual) / own).mean()) - share

    return float(optimize.brentq(below, usual.min() * 0.05, usual.max() * 20))


def truth_of_all(row: Asking) -> Floats:
    """Of prompts like these: by arithmetic."""
    spread = float(np.hypot(row.process.prompts_differ, row.own))
    tail = float(np.exp(spread * special.ndtri(0.95)))
    return np.array([PER * USD * np.exp(row.process.prompts_differ**2 / 2), 1.0, tail, row.well[0] / sum(row.well)])


def estimates(seen: Seen, alike: bool) -> list[float]:
    """By NumPy alone: of the answers as they are, or with each prompt counted alike, however often it came up."""
    measured = seen.loop.sent >= 0
    prompts, took = seen.loop.prompt[measured], seen.loop.took[measured]
    weights = np.ones(len(prompts)) if alike else 1 / np.bincount(prompts)[prompts]
    order = np.argsort(took)
    reached = np.cumsum(weights[order]) / weights.sum()
    percentiles = [took[order][np.searchsorted(reached, share)] for share in (0.5, 0.95)]
    means = [np.average(values[measured], weights=weights) for values in (seen.usd, seen.quality)]
    return [PER * means[0], *percentiles, means[1]]


def intervals(seen: Seen) -> tuple[list[Any], list[Any]]:
    """For prompts like these, and for these: as the summary prints them."""
    records = frame(seen.loop, usd=seen.usd, quality=seen.quality, metric="exact", prompt_id=[f"p{n}" for n in seen.loop.prompt])
    manifest = {"cells": [line(seen.loop.process)], "config": {"objectives": {"e2e_p50_s": 1.0}}}
    row = summarise(records, manifest, pd.DataFrame())["cells"][0]
    latency = row["e2e_s"]["ci95"]
    alike = [row["usd_per_10k_ci95"], latency["p50"], latency["p95"], row["quality"]["ci95"]]
    these = (row["these_prompts"] or {"ci95": {}})["ci95"]
    return alike, [these.get(key) for key in KEYS]


def study(row: Asking, runs: int, seed: int) -> dict[str, tuple[Floats, Floats, Floats]]:
    """By estimand: coverage in %, width as a multiple of the oracle's, and the share of the cells that state an interval."""
    rng = np.random.default_rng([seed, *row.name.encode()])
    seen = list(cells(rng, row, runs))
    found = [intervals(one) for one in seen]
    truths = {ALIKE: np.broadcast_to(truth_of_all(row), (runs, 4)), THESE: np.array([one.truth for one in seen])}
    return {
        name: _judged([pair[place] for pair in found], np.array([estimates(one, name == ALIKE) for one in seen]), truths[name])
        for place, name in enumerate((ALIKE, THESE))
    }


def _judged(found: list[list[Any]], estimated: Floats, truth: Floats) -> tuple[Floats, Floats, Floats]:
    known = np.array([[pair or (np.nan, np.nan) for pair in row] for row in found], dtype=float)
    slack = 1e-9 * truth
    covered = (known[:, :, 0] <= truth + slack) & (truth - slack <= known[:, :, 1])
    oracle = 2 * np.quantile(np.abs(estimated - truth), 0.95, axis=0)
    stated = ~np.isnan(known[:, :, 0])
    width = np.nanmedian(known[:, :, 1] - known[:, :, 0], axis=0) / np.where(oracle > 1e-9 * truth[0], oracle, np.nan)
    return 100 * covered.sum(axis=0) / np.maximum(stated.sum(axis=0), 1), width, 100 * stated.mean(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(f"Covered by the 95 % interval, % of {given.runs:,} cells (width, by the oracle's)\n")
    print(f"| prompts | for | {' | '.join(FIGURES)} |\n|---|---|{'--:|' * len(FIGURES)}")
    for row in ROWS:
        for name, judged in study(row, given.runs, given.seed).items():
            shown = [_cell(*of_figure) for of_figure in zip(*judged, strict=True)]
            print(f"| {row.name} | {name} | {' | '.join(shown)} |", flush=True)


def _cell(covered: float, width: float, stated: float) -> str:
    if not stated:
        return "-"
    wide = "" if np.isnan(width) else f" ({width:.2f})"
    return f"{covered:.1f}{wide}" + ("" if stated > 99.5 else f", stated in {stated:.0f} %")


if __name__ == "__main__":
    main()

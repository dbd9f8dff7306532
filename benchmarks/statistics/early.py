"""Do the intervals that are printed hold where a window ended as soon as it had shown enough (``load.until: decided``)?

Closed loops of four to sixteen users, looked at ten times from 60 s on and at most for 600 s, with a limit on p95 of the
end-to-end latency that is at the truth, a quarter above or a fifth below. What was sent until the window ended goes through
``summarise``, as a run does.

    python benchmarks/statistics/early.py [--runs 300] [--seed 1] [--only users]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from loops import START, Floats, Loop, Process, frame, line, lognormal, loops

from fmbench.core.looks import Counts, look_times
from fmbench.core.objectives import Objective, decided
from fmbench.core.sequential import BLOCK_S
from fmbench.core.summary import summarise

FIRST_S, CAP_S, AT_ONCE = 60.0, 600.0, 25
FIGURES = ("mean", "p50", "p95", "p99", "rate")
LIMITS = (0.8, 1.0, 1.25)
PROCESSES = [
    Process("independent", 8, CAP_S, lognormal(0.5)),
    Process("slow spells of 5 s, 3 % of the time", 8, CAP_S, lognormal(0.3), slower=3.0, share=0.03),
    Process("slow spells of 5 s, 10 % of the time", 8, CAP_S, lognormal(0.3), slower=3.0, share=0.1),
    Process("four users differ by 10 %", 4, CAP_S, lognormal(0.5), differ=0.1),
    Process("eight users differ by 10 %", 8, CAP_S, lognormal(0.5), differ=0.1),
    Process("sixteen users differ by 10 %", 16, CAP_S, lognormal(0.5), differ=0.1),
    Process("four users differ by 30 %", 4, CAP_S, lognormal(0.5), differ=0.3),
    Process("eight users differ by 30 %", 8, CAP_S, lognormal(0.5), differ=0.3),
    Process("sixteen users differ by 30 %", 16, CAP_S, lognormal(0.5), differ=0.3),
]


def ended_at(loop: Loop, limit: float) -> float:
    """When the window ends: at the first look that decides, else at its cap."""
    for seconds in look_times(FIRST_S, CAP_S):
        if decided(Objective("e2e_p95_s", limit), _counts(loop, limit, seconds)):
            return seconds
    return CAP_S


def _counts(loop: Loop, limit: float, seconds: float) -> Counts:
    """As a run's load processes count them: by slices of time, and by users."""
    sent = (loop.sent >= 0) & (loop.sent < seconds)
    over = sent & (loop.sent + loop.took <= seconds)
    slices = int(seconds / BLOCK_S)
    place = np.minimum((loop.sent[over] / BLOCK_S).astype(int), slices - 1)
    within = loop.took[over] <= limit
    by_user = _counted(loop.user[over], within, loop.process.users, 0)
    by_time = _counted(place, within, slices, int(sent.sum() - over.sum()))
    return replace(by_time, senders=(by_user,))


def _counted(place: Any, within: Any, places: int, unknown: int) -> Counts:
    counted = np.bincount(place, minlength=places).astype(float)
    within = np.bincount(place, weights=within.astype(float), minlength=places)
    nothing = counted * 0
    return Counts(
        unknown=unknown,
        ended=counted,
        failed=nothing,
        ok=counted,
        usd=nothing,
        priced=counted,
        per_minute=nothing,
        latencies={"e2e_p95_s": (counted, within)},
    )


def printed(loop: Loop, seconds: float) -> list[Any]:
    """The intervals that the summary has of what was sent until the window ended."""
    kept = loop.sent < seconds
    seen = replace(
        loop,
        process=replace(loop.process, seconds=seconds),
        sent=loop.sent[kept],
        took=loop.took[kept],
        failed=loop.failed[kept],
        user=loop.user[kept],
    )
    load = {"until": "decided", "duration_s": FIRST_S, "max_duration_s": CAP_S}
    manifest = {"cells": [line(seen.process, start=START)], "config": {"load": load}}
    row = summarise(frame(seen), manifest, pd.DataFrame())["cells"][0]
    return [*(row["e2e_s"]["ci95"][name] for name in FIGURES[:4]), row["transactions_per_minute_ci95"]]


def study(process: Process, limit: float, truth: Floats, runs: int, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Whether each interval held the truth, a row a window (one that is not known held nothing), when each ended, widths."""
    held, ended, widths = [], [], []
    for _ in range(0, runs, AT_ONCE):
        for loop in loops(rng, process, AT_ONCE):
            seconds = ended_at(loop, limit)
            found = [pair or (np.nan, np.nan) for pair in printed(loop, seconds)]
            held.append([low <= value <= high for (low, high), value in zip(found, truth, strict=True)])
            ended.append(seconds)
            widths.append((found[2][1] - found[2][0]) / truth[2])
    return np.array(held), np.array(ended), float(np.nanmedian(widths))


def truth_of(process: Process, rng: np.random.Generator) -> Floats:
    values, rates = [], []
    for _ in range(40):
        for loop in loops(rng, process, AT_ONCE):
            values.append(loop.answers)
            sent, ended = loop.sent, loop.sent + loop.took
            rates.append(((np.clip(ended, 0, CAP_S) - np.clip(sent, 0, CAP_S)) / loop.took).sum() / CAP_S * 60)
    pooled = np.concatenate(values)
    return np.array([pooled.mean(), *np.quantile(pooled, [0.5, 0.95, 0.99]), np.mean(rates)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="processes whose name has this in it")
    given = parser.parse_args()
    print("Holds the truth, % of all windows (% of those that ended early)\n")
    print(f"| process | limit, of the true p95 | ended early | {' | '.join(FIGURES)} | width of p95 |")
    print(f"|---|--:|--:|{'--:|' * len(FIGURES)}--:|")
    for process in (process for process in PROCESSES if given.only in process.name):
        rng = np.random.default_rng([given.seed, *process.name.encode()])
        truth = truth_of(process, rng)
        for part in LIMITS:
            held, ended, width = study(process, part * float(truth[2]), truth, given.runs, rng)
            early = ended < CAP_S - 1
            of_early = 100 * held[early].mean(axis=0) if early.sum() >= 20 else np.full(len(FIGURES), np.nan)
            shown = [
                f"{whole:.1f} ({'-' if np.isnan(some) else f'{some:.1f}'})"
                for whole, some in zip(100 * held.mean(axis=0), of_early, strict=True)
            ]
            print(f"| {process.name} | {part:g} | {100 * early.mean():.0f} % | {' | '.join(shown)} | {width:.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""Does the verdict find the truth? 200 simulated studies: with one best model, with tied ones, with none that is feasible.

Each study draws three models (latency, growth of latency with users, price, failures, dependence between requests), serves them
at 1 … 16 closed-loop users, and asks ``summarise`` for the verdict. The truth of every cell is computed from the model's
parameters, not from the sample. An answer is *right* when the chosen model and users are truly feasible and truly the cheapest
(to within 2 %), or when none is chosen and none is feasible; *undecided* (no choice, or one that is said to be uncertain) is
counted separately; anything else is *wrong*. A winner where none is feasible must never happen.

    python benchmarks/statistics/decisions.py [--studies 200] [--requests 400] [--seed 1]
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import signal, stats

from fmbench.core.summary import summarise

LEVELS = (1, 2, 4, 8, 16)
LIMIT_S = 2.0
ERRORS = 0.02
BUCKET = "en_1000-2000"
SIGMA = 0.25
TIED = 0.02


@dataclass(frozen=True)
class Served:
    """A model's truth: log-normal latency around ``median * (1 + growth * (users - 1))``, correlated in time by ``lag``."""

    name: str
    median: float
    growth: float
    usd: float
    failures: float
    lag: float

    def p95(self, users: int) -> float:
        return self.median * (1 + self.growth * (users - 1)) * math.exp(SIGMA * float(stats.norm.ppf(0.95)))

    def feasible(self, users: int) -> bool:
        return self.p95(users) <= LIMIT_S and self.failures <= ERRORS

    def most_users(self) -> int | None:
        fitting = [users for users in LEVELS if self.feasible(users)]
        return max(fitting, default=None)


def draw_models(rng: np.random.Generator, kind: str) -> list[Served]:
    """Three models of a kind of study: best (prices 10 % and more apart), tied (equal prices) or none (all too slow)."""
    price = float(rng.uniform(1e-4, 1e-3))
    models = []
    for name in "abc":
        slow = kind == "none" or rng.random() < 0.2
        median = float(rng.uniform(2.5, 6) if slow else rng.uniform(0.2, 1.0))
        usd = price * (1.0 if kind == "tied" else float(rng.choice([1, 1.1, 1.3, 2, 5, 10]) * rng.uniform(0.98, 1.02)))
        failures = float(rng.choice([rng.uniform(0, 0.004), rng.uniform(0.01, 0.06), 0.15], p=[0.6, 0.3, 0.1]))
        models.append(Served(name, median, float(rng.uniform(0, 0.15)), usd, failures, float(rng.choice([0, 0.3, 0.6]))))
    return models


def simulate(rng: np.random.Generator, models: list[Served], requests: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Records and manifest of a study."""
    frames, lines, clock, index = [], [], 1_790_000_000.0, 0
    for model in models:
        for users in LEVELS:
            few = rng.random() < 0.1  # a gap in the ladder: a level with next to no requests
            frame = cell(rng, model, users, 8 if few else max(requests, users * 20), index, clock)
            end = float(frame["ended_at"].max())
            lines.append(
                {
                    "cell": index,
                    "model": model.name,
                    "bucket": BUCKET,
                    "concurrency": users,
                    "status": "complete",
                    "started_at": clock,
                }
                | {"measure_at": clock, "drain_at": end, "block": 0}
            )
            frames.append(frame)
            clock, index = end + 1, index + 1
    objectives = {"bucket": BUCKET, "e2e_p95_s": LIMIT_S, "error_rate": ERRORS, "prefer": "cost"}
    return pd.concat(frames, ignore_index=True), {"cells": lines, "config": {"objectives": objectives}}


def cell(rng: np.random.Generator, model: Served, users: int, count: int, index: int, clock: float) -> pd.DataFrame:
    """One cell of a closed loop: each user sends when its last answer is there."""
    shocks = rng.standard_normal(count + 200) * math.sqrt(1 - model.lag**2)
    normal = signal.lfilter([1], [1, -model.lag], shocks)[200:]
    e2e = model.median * (1 + model.growth * (users - 1)) * np.exp(SIGMA * normal)
    sent = np.empty(count)
    for user in range(users):
        mine = np.arange(user, count, users)
        sent[mine] = clock + np.concatenate([[0.0], np.cumsum(e2e[mine])[:-1]])
    failed = rng.random(count) < model.failures
    return pd.DataFrame(
        {
            "cell": index,
            "model": model.name,
            "bucket": BUCKET,
            "dataset": "simulated",
            "concurrency": users,
            "phase": "measure",
            "sent_at": sent,
            "intended_at": sent,
            "ended_at": sent + e2e,
            "ttft_s": np.where(failed, np.nan, e2e / 3),
            "e2e_s": e2e,
            "output_tokens": np.where(failed, np.nan, 50),
            "usd": np.where(failed, np.nan, model.usd * rng.lognormal(0, 0.2, count) / math.exp(0.02)),
            "outcome": np.where(failed, "failed", "ok"),
            "failure": np.where(failed, "internal", None),
        }
    )


def grade(models: list[Served], verdict: dict[str, Any]) -> str:
    """right, wrong, undecided, or false_winner: a choice where nothing is feasible."""
    feasible = {model.name: model for model in models if model.most_users() is not None}
    found = verdict["recommendation"]
    if found is None:
        return (
            "right"
            if verdict["status"] == "none_feasible" and not feasible
            else "undecided"
            if verdict["status"] == "undecided"
            else "wrong"
        )
    if not feasible:
        return "false_winner"
    model = feasible.get(found["model"])
    if model is None or not model.feasible(found["concurrency"]):
        return "wrong"
    cheapest = min(item.usd for item in feasible.values())
    if model.usd <= cheapest * (1 + TIED):
        return "right"
    return "wrong" if found["certain"] else "undecided"


def met(models: list[Served], summary: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Of each objective of each cell that truly misses it: its name, and whether it was called met nevertheless."""
    truth = {model.name: model for model in models}
    for row in summary["cells"]:
        model = truth[row["model"]]
        missed = {"e2e_p95_s": model.p95(row["concurrency"]) > LIMIT_S, "error_rate": model.failures > ERRORS}
        for judgement in row["objectives"]:
            if missed.get(judgement["objective"]):
                yield judgement["objective"], judgement["status"] == "met"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--requests", type=int, default=400, help="a cell")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    grades: dict[str, Counter[str]] = {"best": Counter(), "tied": Counter(), "none": Counter()}
    judged, false = Counter[str](), Counter[str]()
    for number in range(given.studies):
        kind = ("best", "best", "tied", "none")[number % 4]
        models = draw_models(rng, kind)
        records, manifest = simulate(rng, models, given.requests)
        summary = summarise(records, manifest, pd.DataFrame())
        grades[kind][grade(models, summary["verdicts"][0])] += 1
        for name, wrong in met(models, summary):
            judged[name] += 1
            false[name] += wrong
    print("| studies | right | undecided | wrong | a winner where none is feasible |\n|---|--:|--:|--:|--:|")
    for kind, found in [*grades.items(), ("all", sum(grades.values(), Counter()))]:
        print(f"| {kind} | {found['right']} | {found['undecided']} | {found['wrong']} | {found['false_winner']} |")
    total = sum(grades.values(), Counter())
    decided = total.total() - total["undecided"]
    share = 100 * total["right"] / max(decided, 1)
    for name, count in judged.items():
        print(f"{name}: called met in {false[name]} of {count:,} cells that truly miss it ({100 * false[name] / count:.1f} %)")
    print(f"\nRight in {share:.1f} % of the {decided} decided studies; {total['undecided']} undecided.")


if __name__ == "__main__":
    main()

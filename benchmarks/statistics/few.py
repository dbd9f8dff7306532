"""Few failures of few users: how often is an error rate called met that is at its limit, and one that is far below?

Requests of four to eight users in turn, who fail alike or differ (each user's rate is log-normal around the mean of all). Only
the first side is a test: at the limit, 5 % and less may be met. What is seldom told of so few users is the second's.

    python benchmarks/statistics/few.py [--runs 1000] [--seed 1]
"""

from __future__ import annotations

import argparse

import numpy as np

from fmbench.core.clusters import Common
from fmbench.core.error_limits import MISSED
from fmbench.core.intervals import indicator_dependence, share_interval

STUDIES = [(100, 0.1), (400, 0.02), (400, 0.05)]
USERS = (4, 6, 8)
ROWS = [("alike, at the limit", 0.0, 1.0), ("differ by half, at the limit", 0.5, 1.0)]
ROWS += [("alike, a fifth of the limit", 0.0, 0.2), ("differ by half, a fifth of the limit", 0.5, 0.2)]


def met(rng: np.random.Generator, users: int, requests: int, limit: float, differ: float, part: float) -> bool:
    """Whether the upper bound of one cell's error rate, which is truly ``part`` of its limit, lies at or below it."""
    user = np.arange(requests) % users
    rates = part * limit * np.exp(differ * rng.standard_normal(users) - differ**2 / 2)
    failed = rng.random(requests) < rates[user]
    known = indicator_dependence(failed, Common(users=user))
    return share_interval(int(failed.sum()), known, MISSED)[1] <= limit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(f"Called met, % of {given.runs:,} cells\n")
    print(f"| requests, limit | users | {' | '.join(name for name, *_ in ROWS)} |\n|---|--:|{'--:|' * len(ROWS)}")
    for requests, limit in STUDIES:
        for users in USERS:
            rng = np.random.default_rng([given.seed, requests, round(1000 * limit), users])
            found = [
                sum(met(rng, users, requests, limit, differ, part) for _ in range(given.runs)) / given.runs
                for _, differ, part in ROWS
            ]
            shown = " | ".join(f"{100 * share:.1f}" for share in found)
            print(f"| {requests}, {100 * limit:g} % | {users} | {shown} |", flush=True)


if __name__ == "__main__":
    main()

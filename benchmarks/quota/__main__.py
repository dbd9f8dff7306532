"""Hidden quotas, found from outside: ``python -m benchmarks.quota [--seeds 20]``. A row a kind, and how many of its seeds were
right.

Right is: requests and tokens a minute within 5 %, whether max_tokens is reserved, the burndown, and whether the window rolls,
within 15 minutes on the service's clock.
"""

from __future__ import annotations

import argparse
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from random import Random

from benchmarks.quota.service import BUSY, Service, Way
from fmbench.core.quota.search import Finding, Limits, Onset, search
from fmbench.simulator.behaviour import Quota

MINUTES = 15


@dataclass(frozen=True, slots=True)
class Trial:
    """One search."""

    quota: Quota
    found: Finding
    minutes: float

    @property
    def right(self) -> dict[str, bool]:
        """What was found right."""
        quota, found = self.quota, self.found
        has_tokens = quota.tokens_per_minute is not None
        return {
            "requests": _near(found.requests, quota.requests_per_minute),
            "tokens": _near(found.tokens, quota.tokens_per_minute),
            "window": found.window == ("clock" if quota.window == "clock" else "rolling"),
            "reserves": not has_tokens or found.reserves == quota.reserves_max_tokens,
            "burndown": not has_tokens or found.burndown == quota.burndown,
            "covers": _covers(found.requests, quota.requests_per_minute) and _covers(found.tokens, quota.tokens_per_minute),
            "time": self.minutes <= MINUTES,
        }


def _near(found: Onset | None, truth: int | None) -> bool:
    if truth is None or found is None:
        return truth is None and found is None
    return abs(found.per_minute - truth) <= 0.05 * truth


def _covers(found: Onset | None, truth: int | None) -> bool:
    return truth is None or found is None or found.low <= truth <= found.high


def hidden(seed: int, window: str, kind: str, reserves: bool, burndown: float, way: Way | None = None) -> Quota:
    """A quota of a kind, its sizes drawn; over a busy machine as many requests as there is time for before a minute turns."""
    random = Random(f"{seed}/{window}/{kind}/{reserves}/{burndown}")
    most = (1500, 20_000) if way is not BUSY else (300, 4000)
    requests = round(math.exp(random.uniform(math.log(20), math.log(most[0]))))
    per_request = math.exp(random.uniform(math.log(400), math.log(most[1])))
    sizes = {
        "requests": {"requests_per_minute": requests},
        "tokens": {"tokens_per_minute": round(math.exp(random.uniform(math.log(20_000), math.log(4_000_000))))},
        "both": {"requests_per_minute": requests, "tokens_per_minute": round(min(4_000_000, requests * per_request))},
    }[kind]
    return Quota.model_validate({**sizes, "window": window, "reserves_max_tokens": reserves, "burndown": burndown})


def attempt(quota: Quota, seed: int, way: Way | None = None) -> Trial:
    """One search against one hidden quota."""
    service = Service(quota, seed, way)
    bursts = search(Limits())
    burst = next(bursts)
    while True:
        try:
            burst = bursts.send(service.burst(burst))
        except StopIteration as ended:
            return Trial(quota, ended.value, service.elapsed_s / 60)


def kinds() -> list[tuple[str, str, bool, float]]:
    """Every kind of hidden quota: window, what is limited, reservation, burndown."""
    token_kinds = [
        (window, kind, reserves, burndown)
        for window in ("bucket", "rolling", "clock")
        for kind in ("tokens", "both")
        for reserves in (True, False)
        for burndown in (1.0, 5.0)
    ]
    return [(window, "requests", True, 1.0) for window in ("bucket", "rolling", "clock")] + token_kinds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--busy", action="store_true", help="over a busy machine: requests lag and pass others, and it stalls")
    parser.add_argument("--at-once", type=int, default=2)
    given = parser.parse_args()
    seeds, way = given.seeds, BUSY if given.busy else Way()
    print("| window | quota of | reserved | burndown | all right | onset covered | minutes, most | requests, most | wrong |")
    print("|---|---|---|--:|--:|--:|--:|--:|---|")
    pool = ProcessPoolExecutor(given.at_once)
    for kind in (kind for kind in kinds() if kind[1] == "both" or not given.busy):
        trials = list(pool.map(attempt, [hidden(seed, *kind, way) for seed in range(seeds)], range(seeds), [way] * seeds))
        good = sum(all(ok for name, ok in trial.right.items() if name != "covers") for trial in trials)
        covered = sum(trial.right["covers"] for trial in trials)
        wrong = sorted({name for trial in trials for name, ok in trial.right.items() if not ok})
        window, what, reserves, burndown = kind
        most, sent = max(trial.minutes for trial in trials), max(trial.found.sent for trial in trials)
        row = (
            window,
            what,
            "yes" if reserves else "no",
            f"{burndown:g}",
            f"{good}/{seeds}",
            f"{covered}/{seeds}",
            f"{most:.1f}",
            str(sent),
        )
        print(f"| {' | '.join(row)} | {', '.join(wrong)} |", flush=True)


if __name__ == "__main__":
    main()

"""Routes side by side: do 95 % intervals of their differences cover, and how often are A/A arms called different?

Five routes to one model in interleaved blocks with the same prompts. A request's time is log-normal (sigma 0.4) around what its
prompt makes of it (log-normal, 0.3), what its block does (0.1: the hour, of all routes alike) and the route's own speed. The
second route is the first once more. Whole studies go through ``core.routes``, with the correction over all figures of all routes.

    python benchmarks/statistics/routes.py [--studies 500] [--seed 1]
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
import pandas as pd
from scipy import optimize, special

from fmbench.core.cells import measured_cells
from fmbench.core.quantiles import Floats
from fmbench.core.records import COLUMNS
from fmbench.core.routes import RouteDifference, route_differences
from fmbench.core.table import read

SPEEDS = {"first": 1.0, "same": 1.0, "faster by 0.1": 0.9, "twice as fast": 0.5, "slower by half": 1.5}
PRICES = {"first": 1.0, "same": 1.0, "faster by 0.1": 1.75, "twice as fast": 2.5, "slower by half": 0.5}
PROMPTS = 40


def study(
    rng: np.random.Generator, requests: int, blocks: int, equal: bool = False
) -> tuple[list[RouteDifference], dict[str, float]]:
    """One study's differences, and the first route's true percentiles; ``equal``: all routes are the same."""
    prompts, hours = rng.normal(0, 0.3, PROMPTS), rng.normal(0, 0.1, blocks)
    rows, lines = [], []
    for block in range(blocks):
        for place, name in enumerate(SPEEDS):
            cell = block * len(SPEEDS) + place
            speed, price = (1.0, 1.0) if equal else (SPEEDS[name], PRICES[name])
            prompt = np.concatenate([rng.permutation(PROMPTS) for _ in range(requests // PROMPTS + 1)])[:requests]
            first = speed * np.exp(prompts[prompt] + hours[block] + rng.normal(0, 0.4, requests))
            output = rng.integers(50, 150, requests)
            times = 1000.0 * cell + np.arange(requests)
            frame = {"ttft_s": first, "e2e_s": first + 0.01 * output * speed, "usd": price * 1e-6 * (500 + 4 * output)}
            frame |= {"sent_at": times, "intended_at": times, "ended_at": times + 0.5}
            frame |= {"prompt_id": [f"p{each}" for each in prompt]}
            one = {"model": f"m ({name})", "bucket": "b", "concurrency": 1, "cell": cell, "block": block}
            same = {"phase": "measure", "outcome": "ok", "worker": "w", "user": 0}
            rows.append(pd.DataFrame({**frame, **one, **same}))
            lines.append({**one, "status": "complete", "started_at": times[0], "measure_at": times[0], "drain_at": times[-1] + 1})
    table = read(pd.concat(rows, ignore_index=True).reindex(columns=list(COLUMNS)))
    models = [{"label": f"m ({name})", "id": "m", "route": name, "route_of": "m"} for name in SPEEDS]
    found = route_differences(measured_cells(table, lines, {}), models)
    return found, {f"ttft_{name}_s": percentile(prompts, hours, share) for name, share in (("p50", 0.5), ("p95", 0.95))}


def percentile(prompts: Floats, hours: Floats, share: float) -> float:
    """The first route's true percentile, given the study's prompts and hours: of the mixture of their log-normals."""
    centres = np.add.outer(prompts, hours).ravel()
    return float(np.exp(optimize.brentq(lambda at: float(special.ndtr((at - centres) / 0.4).mean()) - share, -5, 5)))


def truth_of(each: RouteDifference, percentiles: dict[str, float]) -> float | None:
    """The true difference; None: it has no closed form."""
    if each.figure == "usd":
        return PRICES[each.route_b]
    found = percentiles.get(each.figure)
    return None if found is None else (SPEEDS[each.route_b] - 1) * found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    print(
        "| requests a route and block, blocks | TTFT p50 covered | TTFT p95 covered | cost covered | A/A studies with a claim |"
    )
    print("|---|--:|--:|--:|--:|")
    for requests, blocks in ((60, 2), (200, 2), (100, 5)):
        seen: Counter[str] = Counter()
        held: Counter[str] = Counter()
        claims = 0
        for _ in range(given.studies):
            found, percentiles = study(rng, requests, blocks)
            for each in found:
                truth = truth_of(each, percentiles)
                if truth is not None:
                    seen[each.figure] += 1
                    held[each.figure] += each.ci95[0] <= truth <= each.ci95[1]
            claims += any(each.differs for each in study(rng, requests, blocks, equal=True)[0])
        shares = [held[figure] / seen[figure] for figure in ("ttft_p50_s", "ttft_p95_s", "usd")]
        row = " | ".join(f"{share:.1%}" for share in shares)
        print(f"| {requests}, {blocks} | {row} | {claims / given.studies:.1%} |", flush=True)


if __name__ == "__main__":
    main()

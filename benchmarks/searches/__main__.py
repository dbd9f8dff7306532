"""``python -m benchmarks.searches``: does a real search find the limit?

Whole runs of ``load.search`` against simulators whose limit is known from their parameters, time-scaled: answers of some tenths
of a second, a quota's minute of one second.

- *queue*: c answers at a time, s seconds each: N users wait N·s/c, so that the limit on the median is kept by K users and not by
  K + 1;
- *batching*: every stream in flight makes all slower, by the simulator's own formula;
- *rate*: an even open loop before c slots of s seconds: it holds up to c/s requests a second, and beyond the queue grows;
- *quota*: an open loop before a quota of q requests a second: the share that is throttled is 1 - q/rate, so that a limit on it
  is kept up to q/(1 - limit).
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import fmbench

TOLERANCE = 0.1
ERRORS = 0.3
HIGHEST_USERS, HIGHEST_RATE = 64.0, 4096.0


@dataclass(frozen=True)
class Server:
    """A simulated server: ``truth`` is its limit in the search's own terms."""

    kind: str
    of: str
    profile: Mapping[str, Any]
    objectives: Mapping[str, float]
    truth: float


def queue(dice: random.Random) -> Server:
    """N users before c slots."""
    slots, service, limit = dice.randint(2, 5), dice.uniform(0.12, 0.25), dice.randint(6, 22)
    profile = {"ttft_s": service, "tpot_s": 0.0, "output_tokens": 1, "slots": slots}
    within = service * (limit + 0.5) / slots
    return Server("queue", "users", profile, {"e2e_p50_s": round(within, 4), "error_rate": 0.5}, limit)


def batching(dice: random.Random) -> Server:
    """N streams that make each other slower."""
    tokens, tpot, batch, limit = 20, dice.uniform(0.005, 0.01), dice.uniform(4, 8), dice.randint(10, 24)
    profile = {"ttft_s": 0.05, "tpot_s": tpot, "output_tokens": tokens, "batch": batch}
    within = 0.05 + (tokens - 1) * tpot * (1 + (limit + 0.5) / batch)
    return Server("batching", "users", profile, {"e2e_p50_s": round(within, 4), "error_rate": 0.5}, limit)


def rate(dice: random.Random) -> Server:
    """An even open loop before c slots."""
    slots, service = dice.randint(2, 5), dice.uniform(0.15, 0.3)
    profile = {"ttft_s": service, "tpot_s": 0.0, "output_tokens": 1, "slots": slots}
    return Server("rate", "rate", profile, {"e2e_p50_s": round(service * 1.5, 4), "error_rate": 0.5}, 60 * slots / service)


def quota(dice: random.Random) -> Server:
    """An even open loop before a quota."""
    a_second = dice.randint(8, 24)
    profile = {"ttft_s": 0.05, "tpot_s": 0.0, "output_tokens": 1, "quota": {"requests_per_minute": a_second, "minute_s": 1.0}}
    return Server("quota", "rate", profile, {"e2e_p50_s": 1.0, "error_rate": ERRORS}, 60 * a_second / (1 - ERRORS))


KINDS: tuple[Callable[[random.Random], Server], ...] = (queue, batching, rate, quota)


def found(server: Server, seed: int, folder: str) -> dict[str, Any]:
    """What a search says of it: ``summary.json``'s item."""
    search = {"of": server.of, "from": 1 if server.of == "users" else 60, "tolerance": TOLERANCE, "most_requests": 600}
    search["to"] = HIGHEST_USERS if server.of == "users" else HIGHEST_RATE
    load = {"search": search, "arrivals": "constant", "warmup_s": 1.0, "duration_s": 2.0, "max_duration_s": 15.0}
    config = {
        "models": [{"id": "us.amazon.nova-lite-v1:0", "label": "lite"}],
        "inference": {"max_tokens": 20},
        "dataset": {"buckets": ["1-500"], "prompts_per_bucket": 20},
        "load": load,
        "objectives": dict(server.objectives),
        "seed": seed,
        "output": folder,
        "simulator": {"profile": dict(server.profile)},
    }
    item: dict[str, Any] = fmbench.run(config).summary["search"][0]
    return item


def main() -> None:
    """Search, and print a row each and how often it was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f} at the start\n")
    print("| server | true limit | found | interval | requests | share of the grid | steps | seconds | |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|---|", flush=True)
    right = false_claims = held = 0
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.servers):
            server, began = KINDS[number % len(KINDS)](random.Random(f"{options.seed}/{number}")), time.monotonic()
            item = found(server, number, folder)
            limit, (low, high) = item["limit"] or 0.0, item["ci95"]
            apart = abs(limit - server.truth)
            near = apart <= max(TOLERANCE * server.truth, 1.0 if server.of == "users" else 0.0) + 1e-9
            false = low > (1 + TOLERANCE) * server.truth
            right, false_claims = right + near, false_claims + false
            held += low <= server.truth and (high is None or high > server.truth)
            shares.append(item["requests"] / item["grid_requests"])
            said = "false claim" if false else "" if near else "off"
            span = f"{low:.4g} to {'-' if high is None else format(high, '.4g')}"
            counts = f"{item['requests']:,} | {shares[-1]:.2f} | {len(item['steps'])} | {time.monotonic() - began:.0f}"
            print(f"| {server.kind} | {server.truth:.4g} | {limit:.4g} | {span} | {counts} | {said} |", flush=True)
    of = options.servers
    print(f"\nWithin tolerance: {right} of {of}. False claims: {false_claims}. The interval holds the limit: {held} of {of}.")
    print(f"Requests over the grid's, median: {sorted(shares)[of // 2]:.2f}.")


if __name__ == "__main__":
    main()

"""``python -m benchmarks.requests``: one whole load process against a plain boto3 loop, on an endpoint that answers at once.

Prints requests a second and CPU a request of both, their ratio, and in whose code the load process spends its time.
Each round runs the two in turn on the same endpoint; medians are printed. The load process does all that it does in a run:
salts, signs, measures, journals twice a request, and tells Locust.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from fmbench.simulator import start
from fmbench.simulator.behaviour import Profile, Simulator

HERE = Path(__file__).parent
INSTANT = Simulator(profile=Profile(ttft_s=0, tpot_s=0, output_tokens=8))


def plain_loop(url: str, users: int, seconds: float) -> dict[str, float]:
    """Requests a second and CPU milliseconds a request of the plain loop."""
    command = [sys.executable, str(HERE / "plain_loop.py"), url, str(users), str(seconds)]
    measured: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return measured


def load_process(url: str, users: int, seconds: float) -> dict[str, Any]:
    """The same of ``fmbench-load``'s load process, and the shares of its time."""
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.json"
        path = os.pathsep.join([str(HERE / "sampler"), *filter(None, [os.environ.get("PYTHONPATH")])])
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
        variables = {**keys, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url, "PYTHONPATH": path, "SAMPLES": str(samples)}
        run = _run(Path(folder), users, seconds, variables)
        window = json.loads((run / "cells.jsonl").read_text())
        rows = pd.read_parquet(run / "records", columns=["phase", "outcome", "ended_at"])
        inside = rows["ended_at"].between(window["measure_at"], window["drain_at"]) & (rows["outcome"] == "ok")
        rate = int(inside.sum()) / (window["drain_at"] - window["measure_at"])
        health = pd.read_json(run / "health" / "local.jsonl", lines=True)
        busy = health[health["at"].between(window["measure_at"] + 1, window["drain_at"])]["cpu"].mean()
        return {"requests_per_s": rate, "cpu_ms": 1000 * busy / rate, "shares": _shares(samples, window)}


def _shares(samples: Path, window: dict[str, Any]) -> Counter[str]:
    """CPU samples of the measured seconds, by whose code ran."""
    found: Counter[str] = Counter()
    for key, count in json.loads(samples.read_text()).items():
        second, _, home = key.partition(" ")
        if window["measure_at"] <= int(second) < window["drain_at"] - 1:
            found[home] += count
    return found


def _run(folder: Path, users: int, seconds: float, variables: dict[str, str]) -> Path:
    config = {
        "models": [{"id": "null-model", "inference": {"max_tokens": 8}}],
        "dataset": {"buckets": ["200-400"], "prompts_per_bucket": 50},
        "load": {"concurrency": [users], "warmup_s": 1, "duration_s": seconds, "min_requests": 0},
    }
    (folder / "cfg.yml").write_text(json.dumps(config))
    command = [sys.executable, "-m", "fmbench", "--config", "cfg.yml", "--yes", "--output", "results"]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    return folder / done.stdout.splitlines()[-1]


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.requests", description=__doc__)
    parser.add_argument("--users", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    ours, plain = [], []
    for _ in range(asked.repeats):
        with start(INSTANT) as endpoint:
            plain.append(plain_loop(endpoint.url, asked.users, asked.seconds))
        with start(INSTANT) as endpoint:
            ours.append(load_process(endpoint.url, asked.users, asked.seconds))
    _print(ours, plain)


def _print(ours: list[dict[str, Any]], plain: list[dict[str, float]]) -> None:
    print("| | requests/s | CPU a request, ms |\n|---|--:|--:|")
    for name, rounds in (("one load process of fmbench-load", ours), ("plain boto3 loop under gevent", plain)):
        print(f"| {name} | {median(r['requests_per_s'] for r in rounds):,.0f} | {median(r['cpu_ms'] for r in rounds):.2f} |")
    for figure in ("requests_per_s", "cpu_ms"):
        ratio = median(one[figure] / other[figure] for one, other in zip(ours, plain, strict=True))
        print(f"\nratio of {figure}, round by round, median: {ratio:.2f}")
    total = sum((measured["shares"] for measured in ours), Counter[str]())
    text = ", ".join(f"{home} {100 * count / total.total():.0f} %" for home, count in total.most_common())
    print(f"\nCPU of the load process in its measured seconds, by whose code runs: {text}")


if __name__ == "__main__":
    main()

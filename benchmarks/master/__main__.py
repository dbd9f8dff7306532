"""``python -m benchmarks.master``: CPU seconds a second of the master, by request rate and by number of load processes.

First whole runs over four load processes on the simulator, the same users at a slow and at a fast answer: the master's
CPU must not grow with the request rate. Then the messages of 200 load processes to a master that only listens.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

SLOW_TTFT_S, FAST_TTFT_S = 2.0, 0.05


def run(ttft_s: float, users: int, seconds: float, processes: int) -> tuple[float, float]:
    """Requests a second, and the master's CPU seconds a second, in the measured window of a run."""
    config = {
        "region": "us-east-1",
        "models": [{"id": "us.amazon.nova-lite-v1:0", "inference": {"max_tokens": 8}}],
        "dataset": {"buckets": ["200-400"], "prompts_per_bucket": 50},
        "load": {"concurrency": [users], "warmup_s": 2, "duration_s": seconds, "min_requests": 0},
        "simulator": {"profile": {"ttft_s": ttft_s, "tpot_s": 0, "output_tokens": 8}},
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cfg.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "fmbench", "--config", "cfg.json", "--yes", "--output", "results"]
        command += ["--processes", str(processes)]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as study:
            samples = _follow(study)
        if study.returncode:
            raise SystemExit(f"the run ended with exit code {study.returncode}")
        return _in_window(next(Path(folder, "results").iterdir()), samples)


def _follow(study: subprocess.Popen[bytes]) -> list[tuple[float, float]]:
    """The master's CPU seconds by time, four times a second, until the run is over."""
    samples, master = [], None
    while study.poll() is None:
        try:
            master = master or _master_below(psutil.Process(study.pid))
            if master is not None:
                times = master.cpu_times()
                samples.append((time.time(), times.user + times.system))
        except psutil.NoSuchProcess:
            master = None
        time.sleep(0.25)
    return samples


def _master_below(parent: psutil.Process) -> psutil.Process | None:
    """Locust's first process: the load processes are forks of it."""
    return next((child for child in parent.children(recursive=True) if "fmbench.load" in child.cmdline()), None)


def _in_window(folder: Path, samples: list[tuple[float, float]]) -> tuple[float, float]:
    cell: dict[str, Any] = json.loads((folder / "cells.jsonl").read_text())
    window = (cell["measure_at"], cell["drain_at"])
    ended = pd.read_parquet(folder / "records", columns=["ended_at"])["ended_at"]
    inside = [sample for sample in samples if window[0] <= sample[0] <= window[1]]
    (first_at, first_cpu), (last_at, last_cpu) = inside[0], inside[-1]
    return float(ended.between(*window).sum()) / (window[1] - window[0]), (last_cpu - first_cpu) / (last_at - first_at)


def listen(processes: int, seconds: float) -> dict[str, float]:
    """What the messages of ``processes`` load processes cost a master."""
    command = [sys.executable, "-m", "benchmarks.master.listener", str(processes), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as master:
        assert master.stdout is not None
        port = master.stdout.readline().strip()
        swarm = subprocess.Popen([sys.executable, "-m", "benchmarks.master.swarm", port, str(processes)])
        try:
            measured: dict[str, float] = json.loads(master.stdout.readline())
        finally:
            swarm.kill()
            swarm.wait()
            master.kill()
    return measured


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.master", description=__doc__)
    parser.add_argument("--users", type=int, default=16)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--swarm", type=int, default=200, help="load processes whose messages are played")
    parser.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args()
    print(f"| {asked.processes} load processes, {asked.users} users | requests/s | master's CPU s/s |\n|---|--:|--:|")
    for name, ttft_s in (("slow answers", SLOW_TTFT_S), ("fast answers", FAST_TTFT_S)):
        rate, cpu = run(ttft_s, asked.users, asked.seconds, asked.processes)
        print(f"| {name} | {rate:,.0f} | {cpu:.3f} |", flush=True)
    print("\n| messages of | pulses/s | master's CPU s/s | there at the end |\n|---|--:|--:|--:|")
    for processes in (asked.processes, asked.swarm):
        found = listen(processes, asked.seconds)
        print(
            f"| {processes} load processes | {found['pulses_per_s']:,.0f} | {found['cpu']:.3f} | {found['present']} |", flush=True
        )


if __name__ == "__main__":
    main()

"""``python -m benchmarks.arrivals``: whether an open loop keeps its plan. Whole runs against the simulator.

1. Start lateness: from the planned moment to when the request's bytes went to the socket, at 100 requests a second, constant and
   Poisson, on one load process; the first request of each connection (whose TLS or TCP is inside) apart.
2. The same plan on 1, 3 and 8 load processes at 600 a minute: moments held against the plan worked out from the seed, and a
   Kolmogorov-Smirnov test of the gaps between requests and of the counts a second, as sent, against the plan's.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

import fmbench
from fmbench.config.load import stored_config
from fmbench.core.levels import plan_of_arrivals
from fmbench.core.plan import Plan

Floats = NDArray[np.float64]
SIMULATOR = {"profile": {"ttft_s": 0.1, "tpot_s": 0.002, "output_tokens": 10}}


def study(folder: str, rate: float, arrivals: str, seconds: float, processes: int) -> tuple[pd.DataFrame, Floats, float]:
    """The records of a run, the plan's moments (seconds after its begin), and how far any moment is off the plan, seconds."""
    config = {
        "models": [{"id": "us.amazon.nova-lite-v1:0", "label": "lite"}],
        "inference": {"max_tokens": 10},
        "dataset": {"buckets": ["1-500"], "prompts_per_bucket": 20},
        "load": {"rate_per_min": [rate], "arrivals": arrivals, "warmup_s": 5.0, "duration_s": seconds, "min_requests": 0},
        "output": folder,
        "simulator": SIMULATOR,
    }
    run = fmbench.run(config, processes=processes)
    home = Path(run.address)
    (cell,) = Plan.from_json((home / "plan.json").read_text()).cells
    resolved = stored_config((home / "config.yml").read_text(), "config.yml")
    records = run.records.sort_values("intended_at")
    meant = records["intended_at"].to_numpy()
    plan = np.array([*takewhile(lambda at: at < 5.0 + seconds + 1, plan_of_arrivals(resolved, cell))])[: len(meant)]
    shift = meant[: len(plan)] - plan
    return records, plan, float(np.ptp(shift))


class Floor(threading.Thread):
    """What the machine itself does to a process: how late a bare loop wakes that sleeps until each of 100 moments a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.late_ms: list[float] = []
        self.over = False

    def run(self) -> None:
        """Until it is over."""
        due = time.monotonic()
        while not self.over:
            due += 0.01
            time.sleep(max(0.0, due - time.monotonic()))
            self.late_ms.append((time.monotonic() - due) * 1e3)


def lateness(folder: str, seconds: float) -> None:
    """Print the table of start lateness."""
    print("| 100 requests a second | requests | p50, ms | p95 | p99 | a bare loop meanwhile: p50 | p99 | CPU, % of a core |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for arrivals in ("constant", "poisson"):
        floor = Floor()
        floor.start()
        records, _, _ = study(folder, 6000.0, arrivals, seconds, 1)
        floor.over = True
        sent = records[(records["phase"] == "measure") & records["sent_at"].notna() & records["connect_s"].isna()]
        late = ((sent["sent_at"] - sent["intended_at"]) * 1e3).to_numpy()
        own = " | ".join(f"{value:.2f}" for value in np.quantile(late, (0.5, 0.95, 0.99)))
        bare = " | ".join(f"{value:.2f}" for value in np.quantile(floor.late_ms, (0.5, 0.99)))
        print(f"| {arrivals} | {len(late):,} | {own} | {bare} | {busy(folder):.0f} |", flush=True)


def busy(folder: str) -> float:
    """Per cent of a core of the newest run's load process, the median of its seconds."""
    newest = max(Path(folder).glob("*/health/*.jsonl"), key=lambda path: path.stat().st_mtime)
    return float(pd.read_json(newest, lines=True)["cpu"].median() * 100)


def same_plan(folder: str, seconds: float) -> None:
    """Print the table of plans on several load processes."""
    print("\n| 600 a minute | load processes | requests | off the plan, ms | gaps: KS p | counts a second: KS p | late p99, ms |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for arrivals in ("poisson", "constant"):
        for processes in (1, 3, 8):
            records, plan, off_s = study(folder, 600.0, arrivals, seconds, processes)
            sent = np.sort(records["sent_at"].dropna().to_numpy())
            late = np.quantile((records["sent_at"] - records["intended_at"]).dropna(), 0.99)
            gaps, counts = tests(sent, plan, arrivals)
            numbers = f"{len(records)} | {off_s * 1e3:.4f} | {gaps:.3f} | {counts:.3f} | {late * 1e3:.2f}"
            print(f"| {arrivals} | {processes} | {numbers} |", flush=True)


def tests(sent: Floats, plan: Floats, arrivals: str) -> tuple[float, float]:
    """The chance of gaps, and of counts a second, so far from the plan's. Even gaps are compared to the millisecond."""
    digits = 2 if arrivals == "constant" else 9
    gaps = stats.ks_2samp(np.round(np.diff(sent), digits), np.round(np.diff(plan), digits), method="asymp").pvalue
    edges = np.arange(0.0, plan[-1], 1.0)
    counts = (np.histogram(sent - sent[0] + plan[0] + 1e-4, edges)[0], np.histogram(plan + 1e-4, edges)[0])
    return float(gaps), float(stats.ks_2samp(*counts, method="asymp").pvalue)


def main() -> None:
    """Measure, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--only", choices=("lateness", "plan"))
    options: Any = parser.parse_args()
    began = time.monotonic()
    print(f"{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f} at the start\n")
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "plan":
            lateness(folder, options.seconds)
        if options.only != "lateness":
            same_plan(folder, options.seconds)
    print(f"\n{time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()

"""How long the summary of many records takes, and how much memory: 1,000,000 rows in 40 cells by default.

python benchmarks/statistics/speed.py [--rows 1000000] [--cells 40]
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

import numpy as np
import pandas as pd

from fmbench.core.summary import summarise

START = 1_790_000_000.0
OBJECTIVES = {"ttft_p95_s": 1.5, "e2e_p95_s": 5.0, "error_rate": 0.01, "usd_per_10k": 50.0}


def records(rows: int, cells: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Made-up records with the columns that the summary reads, and their manifest."""
    rng = np.random.default_rng(1)
    cell = np.arange(rows) % cells
    e2e = rng.lognormal(0, 0.5, rows)
    sent = START + cell * 1000.0 + rng.random(rows) * 900
    phase = np.where(sent < START + cell * 1000.0 + 100, "warmup", "measure")
    failed = rng.random(rows) < 0.005
    model = np.array([f"model-{index % 4}" for index in range(cells)])[cell]
    frame = {
        "cell": cell,
        "model": model,
        "dataset": "made",
        "bucket": np.array([f"en_{1000 * (index // 8)}-{1000 * (index // 8 + 1)}" for index in range(cells)])[cell],
        "concurrency": np.array([2 ** (index // 4 % 2) for index in range(cells)])[cell],
        "phase": phase,
        "intended_at": sent,
        "sent_at": sent,
        "ended_at": sent + e2e,
        "ttft_s": np.where(failed, np.nan, e2e / 4),
        "e2e_s": e2e,
        "tpot_s": np.where(failed, np.nan, e2e / 80),
        "prompt_tokens": rng.integers(100, 4000, rows),
        "input_tokens": np.where(failed, np.nan, 1000),
        "output_tokens": np.where(failed, np.nan, 60),
        "usd": np.where(failed, np.nan, 0.0001),
        "outcome": np.where(failed, "failed", "ok"),
        "failure": np.where(failed, "throttled_requests", None),
        "stop_reason": np.where(failed, None, "end_turn"),
    }
    made = pd.DataFrame(frame)
    lines = [
        {"cell": index, "status": "complete", "block": 0, "started_at": START + index * 1000.0}
        | {"measure_at": START + index * 1000.0 + 100, "drain_at": START + index * 1000.0 + 900}
        | made.loc[index, ["model", "bucket", "concurrency"]].to_dict()
        for index in range(cells)
    ]
    return made, {"cells": lines, "config": {"objectives": OBJECTIVES}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cells", type=int, default=40)
    given = parser.parse_args()
    frame, manifest = records(given.rows, given.cells)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    summary = summarise(frame, manifest, pd.DataFrame())
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{given.rows:,} rows, {len(summary['cells'])} cells: {seconds:.2f} s, {seconds / given.rows * 1e6:.2f} µs a row")
    print(f"peak memory {peak / 1024:.0f} MB, of which {before / 1024:.0f} MB were there before (the records themselves)")


if __name__ == "__main__":
    main()

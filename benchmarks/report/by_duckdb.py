"""How long DuckDB takes for the figures of 100,000,000 records, straight from a run's Parquet, and whether they are the same.

    python benchmarks/report/by_duckdb.py RUN [--times 100]

``RUN``: a run folder with its report, as ``benchmark_report.py --keep RUN`` leaves one of 1,000,000 records. Its parts are read
so many times over, by as many hard links: counts have to be so many times the run's, sums too, and percentiles those of the run
but for the place between two neighbouring values. The run's own are held against its summary.json. Exits with 1 where they
differ.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import duckdb
import pandas as pd

QUESTION = """
SELECT model, bucket, concurrency, count(*) AS requests, quantile_cont(ttft_s, 0.5) AS ttft_p50_s,
  quantile_cont(ttft_s, 0.95) AS ttft_p95_s, quantile_cont(e2e_s, 0.95) AS e2e_p95_s, sum(usd) AS usd
FROM read_parquet({}) WHERE phase = 'measure' AND outcome = 'ok' GROUP BY ALL ORDER BY ALL
"""
PERCENTILES = {"ttft_p50_s": ("ttft_s", "p50"), "ttft_p95_s": ("ttft_s", "p95"), "e2e_p95_s": ("e2e_s", "p95")}
CLOSE = 1e-3
"""How far percentiles of ten thousands of values may lie apart: definitions differ by a place between neighbours."""


def main() -> None:
    """Ask, compare, print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args()
    parts = sorted((options.run / "records").glob("*.parquet"))
    once = asked(parts)
    with tempfile.TemporaryDirectory(dir=options.run) as folder:
        links = [Path(folder) / f"{time_of}-{part.name}" for time_of in range(options.times) for part in parts]
        for link in links:
            os.link(options.run / "records" / link.name.partition("-")[2], link)
        start, cpu = time.perf_counter(), time.process_time()
        often = asked(links)
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    off = {"of_the_run": apart(once, often, options.times), "of_its_summary": apart_from_summary(once, options.run)}
    found = {
        "records": options.times * int(duckdb.sql(f"SELECT count(*) FROM read_parquet({_list(parts)})").fetchall()[0][0]),
        "measured": int(often["requests"].sum()),
        "seconds": round(seconds, 1),
        "cpu_s": round(cpu_s, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "apart": off,
    }
    print(json.dumps(found))
    raise SystemExit(max(off.values()) > CLOSE)


def asked(parts: list[Path]) -> pd.DataFrame:
    """The figures by cell."""
    return duckdb.sql(QUESTION.format(_list(parts))).df()


def _list(parts: list[Path]) -> str:
    return str([str(part) for part in parts])


def apart(once: pd.DataFrame, often: pd.DataFrame, times: int) -> float:
    """The largest relative difference between a run's figures and those of it so many times over; counts have to be exact."""
    if (often["requests"] != times * once["requests"]).any():
        return float("inf")
    sums = (often["usd"] / once["usd"] / times - 1).abs().max()
    return float(max([sums, *((often[name] / once[name] - 1).abs().max() for name in PERCENTILES)]))


def apart_from_summary(once: pd.DataFrame, run: Path) -> float:
    """The largest relative difference between DuckDB's figures of a run and its summary; counts have to be exact."""
    cells = json.loads((run / "summary.json").read_text(encoding="utf-8"))["cells"]
    told = {(cell["model"], cell["bucket"], cell["concurrency"]): cell for cell in cells}
    worst = 0.0
    for row in once.to_dict("records"):
        cell = told[row["model"], row["bucket"], row["concurrency"]]
        if cell["ok"] != row["requests"]:
            return float("inf")
        worst = max([worst, *(abs(row[name] / cell[column][which] - 1) for name, (column, which) in PERCENTILES.items())])
    return worst


if __name__ == "__main__":
    main()

"""``python -m benchmarks.accuracy.saturation``: is TTFT still true when every core is busy, and what suffers instead?

1,000 streams on one process, beside as many busy loops as there are cores, against ``endpoint.c``: its TTFT is by the kernel's
stamps at its own end of each connection, beneath TLS as without it, so that it does not matter when the endpoint itself gets to
run. The same without busy loops for comparison. Exits with 1 when the p99 of the TTFT error is above 1 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.accuracy.busy import busy
from benchmarks.accuracy.clients import python_client
from benchmarks.accuracy.reference import Pace, build_reference, serving
from benchmarks.accuracy.work import Row, Work

PACE = Pace(tokens=60, first_ms=300, spread_ms=600, gap_us=33_000)
BAR_MS = 1.0


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=3)
    parser.add_argument("--tls", nargs="+", choices=["plain", "tls"], default=["plain", "tls"])
    options = parser.parse_args()
    late = "read late p50, ms | p99, ms | without the stamps: p99, ms"
    print(f"| wire, cores | TTFT error p50, ms | p99, ms | max, ms | {late} | requests |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        program = build_reference(Path(folder))
        for wire, (name, loops) in product(options.tls, (("idle", 0), ("busy", os.cpu_count() or 1))):
            rows, truth = _load(program, options.streams, options.requests, loops, tls=wire == "tls")
            worst = max(worst, _print(f"{wire}, {name}", rows, truth))
    raise SystemExit(worst > BAR_MS)


def _load(program: Path, streams: int, requests: int, loops: int, *, tls: bool) -> tuple[list[Row], dict[str, int]]:
    """(what the client saw, TTFT by request id in ns)."""
    with serving(program, PACE, tls=tls) as endpoint, busy(loops):
        work = Work(url=endpoint.url, ca_bundle=endpoint.ca_bundle, streams=streams, requests=requests, tokens=PACE.tokens)
        done = python_client("client_fmbench")(work)
        truth = endpoint.end()
    assert len(truth) == len(done.rows) == streams * (requests + 1)
    return done.rows, truth


def _print(name: str, rows: list[Row], truth: dict[str, int]) -> float:
    """A row of the table; the p99 of the error, ms."""
    error = np.abs([row.first_ns - row.sent_ns - truth[row.request_id] for row in rows]) / 1e6
    unstamped = sum(row.read_ns is None for row in rows)
    late = np.array([row.read_ns - row.first_ns for row in rows if row.read_ns is not None]) / 1e6
    read = np.abs([(row.read_ns or row.first_ns) - row.sent_ns - truth[row.request_id] for row in rows]) / 1e6
    figures = [*np.percentile(error, (50, 99, 100)), *np.percentile(late, (50, 99)), np.percentile(read, 99)]
    print(f"| {name} | {' | '.join(f'{value:.3f}' for value in figures)} | {len(rows)} |", flush=True)
    if unstamped:
        print(json.dumps({"requests without a stamp": unstamped}), file=sys.stderr)
    return float(np.percentile(error, 99))


if __name__ == "__main__":
    main()

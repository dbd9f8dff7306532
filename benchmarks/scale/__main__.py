"""``python -m benchmarks.scale``: how one load process grows from 64 to 4,096 streams, and where its knee is.

Streams of 30 events a second from ``benchmarks/accuracy/endpoint.c``, which costs next to nothing: CPU and memory of the load
process with its witness, and how late it reads. The knee is the most streams at which it uses at most 70 % of a core and reads
95 in 100 first contents within 3 ms; beyond it a plan wants another process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil

from benchmarks.accuracy.clients import HERE
from benchmarks.accuracy.work import Done, Work, environment

LEVELS = (64, 128, 256, 512, 1024, 2048, 4096)
FIRST_MS, SPREAD_MS, GAP_US, TOKENS = 300, 600, 33_000, 60
REQUEST_S = (FIRST_MS + SPREAD_MS / 2) / 1e3 + TOKENS * GAP_US / 1e6
MOST_LATE_MS, MOST_SHARE = 3.0, 0.7


class Peak:
    """The largest memory of a process and its witness, megabytes, by samples; and the witness's CPU seconds."""

    def __init__(self) -> None:
        self.process_mb = self.witness_mb = self.witness_cpu_s = 0.0

    def watch(self, process: psutil.Process, over: Callable[[], bool]) -> None:
        """Sample until it is over."""
        while not over():
            with suppress(psutil.Error):
                self.process_mb = max(self.process_mb, process.memory_info().rss / 1e6)
                for child in process.children():
                    self.witness_mb = max(self.witness_mb, child.memory_info().rss / 1e6)
                    self.witness_cpu_s = max(self.witness_cpu_s, sum(child.cpu_times()[:2]))
            time.sleep(0.2)


def main() -> None:
    """Measure level after level, and print a table and the knee."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=LEVELS[-1])
    parser.add_argument("--requests", type=int, default=2)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f} at the start\n")
    cost, late = "CPU, % of a core | CPU per event, µs | witness, % of a core", "late p50, ms | p95, ms | p99, ms"
    print(f"| streams | {cost} | memory, MB | witness, MB | {late} |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    knee = 0
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "endpoint"
        subprocess.run(["gcc", "-O2", "-Wall", "-o", str(program), str(HERE / "endpoint.c")], check=True)
        for streams in (level for level in LEVELS if level <= options.most):
            knee = streams if _level(program, streams, options.requests) else knee
    print(f"\nThe knee: {knee} streams on one process.")


def _level(program: Path, streams: int, requests: int) -> bool:
    """Print a level's row; whether it is carried."""
    command = [str(program), *map(str, (TOKENS, FIRST_MS, SPREAD_MS, GAP_US))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as endpoint:
        assert endpoint.stdout is not None and endpoint.stdin is not None
        url = f"http://127.0.0.1:{int(endpoint.stdout.readline())}"
        done, peak = _client(Work(url=url, streams=streams, requests=requests, tokens=TOKENS))
        endpoint.stdin.close()
        endpoint.stdout.read()
    late = np.array([row.read_ns - row.first_ns for row in done.rows if row.read_ns is not None]) / 1e6
    seconds = (requests + 1) * REQUEST_S
    share, (p50, p95, p99) = done.cpu_ns / 1e9 / seconds, np.percentile(late, (50, 95, 99))
    cpu = f"{share * 100:.0f} | {done.cpu_ns / done.events / 1e3:.1f} | {peak.witness_cpu_s / seconds * 100:.1f}"
    print(
        f"| {streams} | {cpu} | {peak.process_mb:.0f} | {peak.witness_mb:.0f} | {p50:.2f} | {p95:.2f} | {p99:.2f} |", flush=True
    )
    return bool(share <= MOST_SHARE and p95 <= MOST_LATE_MS)


def _client(work: Work) -> tuple[Done, Peak]:
    command = [sys.executable, "-m", "benchmarks.accuracy.client_fmbench", json.dumps(asdict(work))]
    peak, over = Peak(), threading.Event()
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as client:
        watching = threading.Thread(target=peak.watch, args=(psutil.Process(client.pid), over.is_set))
        watching.start()
        assert client.stdout is not None
        output = client.stdout.read()
        over.set()
        watching.join()
    return Done.parse(output), peak


if __name__ == "__main__":
    main()

"""``python -m benchmarks.scale``: how one load process grows from 64 to 4,096 streams, several beside each other, and a master by
the workers that speak to it; and where the knees are.

Streams of 30 events a second from ``benchmarks/accuracy/endpoint.c``, which costs next to nothing: CPU and memory of the load
process with its witness, and how late it reads. The knee is the most streams at which it uses at most 70 % of a core and reads
95 in 100 first contents within 3 ms, by the requests that were sent while every stream was under way; beyond it a plan wants
another process. ``--part processes``: one process to as many as the machine has cores, 512 streams each; the knee is the most
that read as promptly, at 1.1 times what one costs an event. ``--part workers``: the messages of 1 to 1,000 workers on a master
that only listens; the knee is the most workers that it keeps up with at half a core.
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.accuracy.reference import Pace, build_reference, serving
from benchmarks.accuracy.work import Done, Work, environment
from benchmarks.master.__main__ import listen

Floats = NDArray[np.float64]
LEVELS = (64, 128, 256, 512, 1024, 2048, 4096)
PACE = Pace(tokens=60, first_ms=300, spread_ms=600, gap_us=33_000)
REQUEST_S = (PACE.first_ms + PACE.spread_ms / 2) / 1e3 + PACE.tokens * PACE.gap_us / 1e6
MOST_LATE_MS, MOST_SHARE = 3.0, 0.7
STARTS_PER_S = 1024
BESIDE = 512
AS_CHEAP = 1.1
"""Processes beside each other may cost so much an event, of what one alone does."""
WORKERS = (1, 10, 100, 200, 400, 1000)
MOST_OF_MASTER = 0.5


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
    parser.add_argument("--requests", type=int, default=3)
    parser.add_argument(
        "--part", choices=["streams", "processes", "workers"], nargs="+", default=["streams", "processes", "workers"]
    )
    parser.add_argument("--seconds", type=float, default=12, help="how long a master listens")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f} at the start", flush=True)
    for part in options.part:
        PARTS[part](options)


def by_streams(options: argparse.Namespace) -> None:
    """64 to 4,096 streams on one process."""
    cost, late = "CPU, % of a core | CPU per event, µs | witness, % of a core", "late p50, ms | p95, ms | p99, ms"
    print(f"\n| streams | {cost} | memory, MB | witness, MB | {late} |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    knee = 0
    with tempfile.TemporaryDirectory() as folder:
        program = build_reference(Path(folder))
        for streams in (level for level in LEVELS if level <= options.most):
            knee = streams if _level(program, streams, options.requests) else knee
    print(f"\nThe knee: {knee or 'none of these'} streams on one process.")


def _level(program: Path, streams: int, requests: int) -> bool:
    """Print a level's row; whether it is carried."""
    with serving(program, PACE) as endpoint:
        work = Work(url=endpoint.url, streams=streams, requests=requests, tokens=PACE.tokens, starts_per_s=STARTS_PER_S)
        done, peak = _client(work)
    late = lateness(done, work)
    seconds = (requests + 1) * REQUEST_S
    share, (p50, p95, p99) = done.cpu_ns / 1e9 / seconds, np.percentile(late, (50, 95, 99))
    cpu = f"{share * 100:.0f} | {done.cpu_ns / done.events / 1e3:.1f} | {peak.witness_cpu_s / seconds * 100:.1f}"
    print(
        f"| {streams} | {cpu} | {peak.process_mb:.0f} | {peak.witness_mb:.0f} | {p50:.2f} | {p95:.2f} | {p99:.2f} |", flush=True
    )
    return bool(share <= MOST_SHARE and p95 <= MOST_LATE_MS)


def lateness(done: Done, work: Work) -> Floats:
    """Milliseconds from arrival to reading of the first contents whose request was sent while every stream was under way."""
    first = min(row.sent_ns for row in done.rows)
    begin, end = first + work.spread_s * 1e9, first + (work.requests + 1) * REQUEST_S * 1e9
    rows = [row for row in done.rows if row.read_ns is not None and begin <= row.sent_ns <= end]
    return np.array([(row.read_ns or 0) - row.first_ns for row in rows]) / 1e6


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


def by_processes(options: argparse.Namespace) -> None:
    """One process to as many as there are cores, 512 streams each, at once."""
    print("\n| processes | streams | CPU per event, µs | late p50, ms | p95, ms |\n|--:|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        program = build_reference(Path(folder))
        counts = [count for count in (1, 2, 4, 8, 16) if count <= (os.cpu_count() or 1)]
        knee, alone = 0, 0.0
        for processes in counts:
            with serving(program, PACE) as endpoint, ThreadPoolExecutor(processes) as threads:
                work = Work(
                    url=endpoint.url,
                    streams=BESIDE,
                    requests=options.requests,
                    tokens=PACE.tokens,
                    starts_per_s=STARTS_PER_S / processes,
                )
                found = [done for done, _ in threads.map(_client, [work] * processes)]
            late = np.concatenate([lateness(done, work) for done in found])
            each = sum(done.cpu_ns for done in found) / sum(done.events for done in found) / 1e3
            p50, p95 = np.percentile(late, (50, 95))
            print(f"| {processes} | {processes * BESIDE} | {each:.1f} | {p50:.2f} | {p95:.2f} |", flush=True)
            alone = alone or each
            knee = processes if each <= AS_CHEAP * alone and p95 <= MOST_LATE_MS else knee
    print(
        f"\nThe knee: {knee or 'none of these'} processes of {BESIDE} streams, of at most {counts[-1]} on {os.cpu_count()} cores."
    )


def by_workers(options: argparse.Namespace) -> None:
    """The messages of 1 to 1,000 workers on one master."""
    print("\n| workers | pulses/s | master's CPU, % of a core | heard of at the end |\n|--:|--:|--:|--:|", flush=True)
    knee = 0
    for workers in WORKERS:
        found = listen(workers, options.seconds)
        cpu, there = found["cpu"], int(found["present"])
        print(f"| {workers} | {found['pulses_per_s']:.0f} | {cpu * 100:.1f} | {there} |", flush=True)
        knee = workers if cpu <= MOST_OF_MASTER and there == workers else knee
    print(f"\nThe knee: {knee} workers on one master.")


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "streams": by_streams,
    "processes": by_processes,
    "workers": by_workers,
}


if __name__ == "__main__":
    main()

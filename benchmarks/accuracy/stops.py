"""``python -m benchmarks.accuracy.stops``: whole runs whose load processes are stopped (SIGSTOP, 200 ms) at random meanwhile.

``fmbench-load --config …`` with one load process and with two, 64 users, against ``endpoint.c``, which says what each TTFT was
by the kernel's stamps at its own end of the connection. Exits with 1 where a stop changed a TTFT by more than 1 ms.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from benchmarks.accuracy.reference import build_reference, truth_of
from benchmarks.accuracy.whole_run import records_of_run
from benchmarks.accuracy.work import Work

STOP_S, BETWEEN_S = 0.2, (0.05, 0.4)
BAR_MS = 1.0


@dataclass
class Stopper:
    """Stops the load processes below ``root`` at random, one at a time, until it is told that it is over."""

    over: threading.Event = field(default_factory=threading.Event)
    stops: int = 0

    def run(self, root: int, seed: int) -> None:
        """In a thread of its own."""
        draw = random.Random(seed)
        while not self.over.wait(draw.uniform(*BETWEEN_S)):
            with suppress(psutil.Error, IndexError, OSError):
                found = draw.choice(load_processes(root))
                os.kill(found, signal.SIGSTOP)
                time.sleep(STOP_S)
                os.kill(found, signal.SIGCONT)
                self.stops += 1


def load_processes(root: int) -> list[int]:
    """The load processes that a run has started and that send requests: those with a witness."""
    every = psutil.Process(root).children(recursive=True)
    return [
        process.pid for process in every if any("witness.py" in word for child in process.children() for word in child.cmdline())
    ]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.stops", description=__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--requests", type=int, default=8, help="about so many a user")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    print("| load processes | stops | requests | read late p50, ms | max, ms | TTFT error p99, ms | max, ms | beyond 1 ms |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    beyond = 0
    with tempfile.TemporaryDirectory() as folder:
        program = build_reference(Path(folder))
        for processes in options.processes:
            beyond += _row(program, Work(url="", streams=options.streams, requests=options.requests), processes)
    raise SystemExit(beyond > 0)


def _row(program: Path, work: Work, processes: int) -> int:
    stopper = Stopper()

    def meanwhile(run: subprocess.Popen[str]) -> None:
        threading.Thread(target=stopper.run, args=(run.pid, processes), daemon=True).start()

    try:
        records, truth = truth_of(program, work, partial(records_of_run, processes=processes, meanwhile=meanwhile))
    finally:
        stopper.over.set()
    answered = records[records["ttft_s"].notna()]
    error = np.abs([row.ttft_s * 1e3 - truth[row.request_id] / 1e6 for row in answered.itertuples()])
    late = ((answered["ttft_read_s"] - answered["ttft_s"]) * 1e3).dropna()
    figures = [late.median(), late.max(), np.percentile(error, 99), error.max()]
    beyond = int((error > BAR_MS).sum())
    shown = " | ".join(f"{value:.3f}" for value in figures)
    print(f"| {processes} | {stopper.stops} | {len(answered)} | {shown} | {beyond} |", flush=True)
    return beyond


if __name__ == "__main__":
    main()

"""Our rows by the word of ``endpoint.c``: its TTFT is by the kernel's stamps, so that it judges on busy cores too, where the
simulator's ledger waits for a core as the clients do. Plain HTTP, the same pace as the simulator's; it has no word on TPOT."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.accuracy.clients import HERE
from benchmarks.accuracy.judge import Verdict
from benchmarks.accuracy.work import Client, Work

T = TypeVar("T")
FIRST_MS, SPREAD_MS, GAP_US = 100, 200, 10_000


def build_reference(folder: Path) -> Path:
    """Compile the endpoint into ``folder``; its program."""
    program = folder / "endpoint"
    subprocess.run(["gcc", "-O2", "-Wall", "-o", str(program), str(HERE / "endpoint.c")], check=True)
    return program


def truth_of(program: Path, work: Work, client: Callable[[Work], T]) -> tuple[T, dict[str, int]]:
    """What a client did against the endpoint, and what the endpoint says: TTFT by request id, ns."""
    command = [str(program), *map(str, (work.tokens, FIRST_MS, SPREAD_MS, GAP_US))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as endpoint:
        assert endpoint.stdout is not None and endpoint.stdin is not None
        url = f"http://127.0.0.1:{int(endpoint.stdout.readline())}"
        try:
            done = client(replace(work, url=url, ca_bundle=None))
        finally:
            endpoint.stdin.close()
            truth = dict(line.split() for line in endpoint.stdout)
    return done, {name: int(ns) for name, ns in truth.items()}


def by_reference(program: Path, client: Client, work: Work) -> Verdict:
    """Run a client against the endpoint, and hold each TTFT against it. Raises ``AssertionError`` when requests are missing."""
    done, truth = truth_of(program, work, client)
    assert len(done.rows) == len(truth), f"{len(done.rows)} requests read, {len(truth)} answered"
    judged = [row for row in done.rows if not row.first_of_stream]
    error = np.abs([row.first_ns - row.sent_ns - truth[row.request_id] for row in judged]) / 1e6
    return Verdict(
        cpu_us=done.cpu_ns / done.events / 1e3,
        ttft_p50_ms=float(np.percentile(error, 50)),
        ttft_p99_ms=float(np.percentile(error, 99)),
        tpot_percent=float("nan"),
        requests=len(judged),
    )

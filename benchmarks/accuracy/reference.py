"""A client's rows by the word of ``endpoint.c``: its TTFT is by the kernel's stamps, so that it judges on busy cores too, where
the simulator's ledger waits for a core as the clients do. Plain HTTP or TLS, at the simulator's pace; it has no word on TPOT."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.accuracy.clients import HERE
from benchmarks.accuracy.judge import Verdict
from benchmarks.accuracy.work import Client, Work
from fmbench.simulator.tls import make_authority

T = TypeVar("T")


@dataclass(frozen=True)
class Pace:
    """How the endpoint answers: content events, the first TTFT, by how much TTFTs differ, and the gap between events."""

    tokens: int
    first_ms: int = 100
    spread_ms: int = 200
    gap_us: int = 10_000

    @property
    def words(self) -> list[str]:
        """For the endpoint's command line."""
        return [str(number) for number in (self.tokens, self.first_ms, self.spread_ms, self.gap_us)]


class Serving:
    """The endpoint while it runs: where it is, and what it says in the end."""

    def __init__(self, process: subprocess.Popen[str], ca_bundle: str | None) -> None:
        assert process.stdout is not None
        self._process = process
        self.ca_bundle = ca_bundle
        """What to verify it with; None: it speaks plain HTTP."""
        self.url = f"http{'s' if ca_bundle else ''}://127.0.0.1:{int(process.stdout.readline())}"

    def end(self) -> dict[str, int]:
        """End it: the TTFT of each request by its id, ns."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        return {name: int(ns) for name, ns in (line.split() for line in self._process.stdout)}


def build_reference(folder: Path) -> Path:
    """Compile the endpoint into ``folder`` (it takes gcc and OpenSSL's headers); its program."""
    program = folder / "endpoint"
    if not program.exists():
        command = ["gcc", "-O2", "-Wall", "-o", str(program), str(HERE / "endpoint.c"), "-lssl", "-lcrypto"]
        subprocess.run(command, check=True)
    return program


@contextmanager
def serving(program: Path, pace: Pace, *, tls: bool = False) -> Iterator[Serving]:
    """The endpoint, for as long as this is entered."""
    keys: list[str] = []
    bundle = None
    if tls:
        bundle = str(make_authority(program.parent, "127.0.0.1")[0])
        keys = [str(program.with_name(name)) for name in ("server.pem", "server.key")]
    with subprocess.Popen(
        [str(program), *pace.words, *keys], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Serving(process, bundle)


def truth_of(program: Path, work: Work, client: Callable[[Work], T]) -> tuple[T, dict[str, int]]:
    """What a client did against the endpoint, and what that says: TTFT by request id, ns. With TLS where the work has it."""
    with serving(program, Pace(work.tokens), tls=work.ca_bundle is not None) as endpoint:
        done = client(replace(work, url=endpoint.url, ca_bundle=endpoint.ca_bundle))
        return done, endpoint.end()


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

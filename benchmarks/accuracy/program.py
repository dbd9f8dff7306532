"""A peer that is a program of its own: run within a time limit, its processes' CPU sampled, none of them left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil

from benchmarks.accuracy.work import LIMIT_S

SAMPLE_S = 0.2


class Usage:
    """CPU of a program and all its descendants over time, by samples."""

    def __init__(self) -> None:
        self._at_ns: list[int] = []
        self._cpu_ns: list[float] = []

    def add(self, at_ns: int, cpu_ns: float) -> None:
        """One sample: monotonic clock, and CPU used until then."""
        self._at_ns.append(at_ns)
        self._cpu_ns.append(cpu_ns)

    def between(self, begin_ns: int, end_ns: int) -> int:
        """CPU used from one time to the other; between two samples it is taken as used evenly."""
        used = np.interp([begin_ns, end_ns], self._at_ns, self._cpu_ns)
        return int(used[1] - used[0])


def run(command: list[str], folder: Path, environment: dict[str, str]) -> Usage:
    """Run ``command`` in ``folder`` to its end. Raises ``RuntimeError`` with its last words when it fails or takes too long."""
    output = folder / "output.txt"
    given = os.environ | {"HOME": str(folder), "TMPDIR": str(folder), "NO_PROXY": "127.0.0.1"} | environment
    usage = Usage()
    with output.open("wb") as file:
        program = subprocess.Popen(
            command, cwd=folder, env=given, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
        ended = _watch(program, usage)
    if program.returncode or not ended:
        why = f"ended with {program.returncode}" if ended else f"was not done within {LIMIT_S} s"
        raise RuntimeError(f"{Path(command[0]).name} {why}:\n{output.read_text(errors='replace')[-2000:]}")
    return usage


def _watch(program: subprocess.Popen[bytes], usage: Usage) -> bool:
    """Sample until the program ends; False when it had to be ended. What it leaves behind is ended too."""
    seen: dict[psutil.Process, float] = {}
    deadline = time.monotonic() + LIMIT_S
    try:
        while program.poll() is None and time.monotonic() < deadline:
            usage.add(time.monotonic_ns(), _used(program.pid, seen))
            time.sleep(SAMPLE_S)
        return program.poll() is not None
    finally:
        _end(program, seen)


def _used(pid: int, seen: dict[psutil.Process, float]) -> float:
    """CPU nanoseconds of the tree below ``pid``; a process that has ended keeps what it was last seen with."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                seen[process] = (times.user + times.system) * 1e9
    return sum(seen.values())


def _end(program: subprocess.Popen[bytes], seen: dict[psutil.Process, float]) -> None:
    """Kill the program's session, and what left the session."""
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    for process in seen:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    program.wait()

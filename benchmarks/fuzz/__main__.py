"""Malformed input, very much of it, by a seed: every parser of foreign bytes, configurations, and datasets. ``make fuzz``."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

if "--only-master" in sys.argv:
    import locust  # noqa: F401  (before anything that knows of sockets)

from tests.fuzz.commands import Commands, in_a_process
from tests.fuzz.mutation import Mutator
from tests.fuzz.parsers import Master, Target, all_targets
from tests.support.tcp import counting_listener

PROCESS_S = 30
"""A command of its own may take so long on a busy machine; its import alone takes a second."""


@dataclass
class Findings:
    """What should not have been, by where it was; one input of each."""

    tried: int = 0
    slowest_s: float = 0.0
    found: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def note(self, error: BaseException, of: str) -> None:
        cause = error.__cause__ or error
        frames = traceback.extract_tb(cause.__traceback__)
        where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        self.count += 1
        self.found.setdefault(f"{type(cause).__name__}{where}", f"{cause}; {of}")


def main() -> int:
    """1 when anything was found. Prints the seed: with it the same inputs are made again."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--inputs", type=int, default=100_000, help="malformed frames, bodies and files, over all parsers")
    parser.add_argument("--configurations", type=int, default=2_000)
    parser.add_argument("--datasets", type=int, default=300)
    parser.add_argument("--processes", type=int, default=20, help="configurations that the command is really started with")
    parser.add_argument("--seed", default=None)
    parser.add_argument("--only-master", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only_master:
        return _only_master(given.inputs, given.seed)
    seed = given.seed or str(time.time_ns() % 10**9)
    print(f"seed {seed}", flush=True)
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="fmbench-fuzz-") as folder, counting_listener() as (url, connections):
        targets = all_targets(Path(folder))
        each = -(-given.inputs // (len(targets) + 1))
        rows = {"master": _in_its_own_process(each, seed)} | _parsers(targets, each, seed)
        commands = Commands(Path(folder))
        rows["configurations and --set"] = _commands(given.configurations, f"{seed}:c", commands.configuration, commands.run)
        rows["the same, as processes"] = _processes(given.processes, f"{seed}:p", commands, url)
        rows["datasets"] = _commands(given.datasets, f"{seed}:d", commands.dataset, commands.run)
        print(f"requests sent: {connections()}", flush=True)
    total = sum(row.count for row in rows.values())
    print(f"{sum(row.tried for row in rows.values()):,} inputs, {total} findings")
    return 1 if total or connections() else 0


def _tell(name: str, row: Findings, began: float) -> None:
    print(
        f"{name}: {row.tried:,} in {time.monotonic() - began:.0f} s, slowest {row.slowest_s:.2f} s, {row.count} findings",
        flush=True,
    )
    for where, what in row.found.items():
        print(f"    {where}: {what[:1000]}", flush=True)


def _in_its_own_process(count: int, seed: str) -> Findings:
    """The messages of Locust's master: Locust changes the process that it is imported in."""
    command = [sys.executable, "-m", "benchmarks.fuzz", "--only-master", "--inputs", str(count), "--seed", seed]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = Findings(**json.loads(done.stdout.splitlines()[-1]))
    _tell("master", row, began)
    return row


def _only_master(count: int, seed: str) -> int:
    with contextlib.redirect_stdout(sys.stderr):
        rows = _parsers({"master": Master()}, count, seed)
    print(json.dumps(asdict(rows["master"])))
    return 0


def _parsers(targets: Mapping[str, Target], each: int, seed: str) -> dict[str, Findings]:
    rows = {}
    for name, target in targets.items():
        row, began = Findings(), time.monotonic()
        for number in range(each):
            mutator = Mutator(f"{seed}:{name}:{number}")
            data = target.make(mutator)
            start = time.perf_counter()
            try:
                target.read(mutator.pieces(data))
            except Exception as error:
                row.note(error, f"input {number}: {data[:300]!r}")
            row.slowest_s = max(row.slowest_s, time.perf_counter() - start)
            row.tried += 1
        rows[name] = row
        _tell(name, row, began)
    return rows


def _commands(count: int, seed: str, make: Callable[[Mutator], list[str]], run: Callable[[list[str]], int]) -> Findings:
    row, began = Findings(), time.monotonic()
    for number in range(count):
        arguments = make(Mutator(f"{seed}:{number}"))
        start = time.perf_counter()
        try:
            run(arguments)
        except Exception as error:
            row.note(error, f"input {number}: {arguments[2:]} {Path(arguments[1]).read_bytes()[:600]!r}")
        row.slowest_s = max(row.slowest_s, time.perf_counter() - start)
        row.tried += 1
    _tell(seed, row, began)
    return row


def _processes(count: int, seed: str, commands: Commands, url: str) -> Findings:
    """Malformed configurations through the command as a process, a dry run each."""
    row, began = Findings(), time.monotonic()
    for number in range(count):
        arguments = [*commands.configuration(Mutator(f"{seed}:{number}")), "--dry-run"]
        status, said, took_s = in_a_process(arguments, url)
        row.slowest_s = max(row.slowest_s, took_s)
        if status not in (0, 2, 3) or "Traceback" in said or took_s > PROCESS_S:
            row.note(AssertionError(f"status {status} after {took_s:.1f} s: {said[:500]}"), f"input {number}: {arguments}")
        row.tried += 1
    _tell(seed, row, began)
    return row


if __name__ == "__main__":
    sys.exit(main())

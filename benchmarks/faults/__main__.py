"""Every fault of tests/faults, so many times each, as whole runs; writes the table of docs/reliability.md. ``--times N``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

import pytest

from tests.faults import answers as answers
from tests.faults import processes as processes
from tests.faults.trials import FAULTS, Fault, Trial

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- table: make bench-faults -->", "<!-- end of table -->"


def main() -> int:
    """1 when a trial did not do what the program promises."""
    parser = argparse.ArgumentParser(prog="make bench-faults")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="the faults whose name has these words; the page stays as it is"
    )
    parsed = parser.parse_args()
    times, only = parsed.times, parsed.only
    rows, broken = [], 0
    for name, fault in FAULTS.items():
        if only not in name:
            continue
        trials, failures = _tried(name, fault, times)
        broken += failures
        rows.append(_row(name, trials, failures))
        print(rows[-1], flush=True)
    if not only:
        _write(times, rows)
    return 1 if broken else 0


def _tried(name: str, fault: Fault, times: int) -> tuple[list[Trial], int]:
    """The trials that came to their end, and how many did not."""
    trials, failures = [], 0
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="fmbench-fault-") as place:
            try:
                trials.append(fault(Path(place)))
            except pytest.skip.Exception as reason:
                print(f"{name}: {reason}", file=sys.stderr)
            except AssertionError as error:
                failures += 1
                where = traceback.extract_tb(error.__traceback__)[-1]
                print(f"{name}: {where.name}, line {where.lineno}: {where.line}: {error}", file=sys.stderr, flush=True)
    return trials, failures


def _row(name: str, trials: list[Trial], failures: int) -> str:
    sent, lost = sum(each.sent for each in trials), sum(each.lost for each in trials)
    statuses = ", ".join(map(str, sorted({each.status for each in trials}))) or "–"
    unaccounted = sum(each.unaccounted for each in trials if each.unaccounted > 0)
    surplus = -sum(each.unaccounted for each in trials if each.unaccounted < 0)
    counts = f"{len(trials)} | {failures} | {sent:,} | {unaccounted:,} | {surplus:,} | {lost:,}"
    return f"| {name} | {counts} | {statuses} |"


def _write(times: int, rows: list[str]) -> None:
    head = (
        "| fault | times | trials failed | requests sent | unaccounted | never seen by the endpoint | said to be lost "
        "| exit status |\n|---|--:|--:|--:|--:|--:|--:|---|"
    )
    said = f"`make bench-faults TIMES={times}`, {time.strftime('%Y-%m-%d', time.gmtime())}:"
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text("\n".join([before + BEGIN, said, "", head, *rows, END]) + after)


if __name__ == "__main__":
    sys.exit(main())

"""Every fault of tests/faults, so many times each, as whole runs; writes the table of docs/reliability.md. ``--times N``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import answers as answers
from tests.faults import crews as crews
from tests.faults import endings as endings
from tests.faults import processes as processes
from tests.faults import stored as stored
from tests.faults import writes as writes
from tests.faults.trials import FAULTS, Fault, Trial

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- table: make bench-faults -->", "<!-- end of table -->"


def main() -> int:
    """1 when a trial did not do what the program promises."""
    parser = argparse.ArgumentParser(prog="make bench-faults")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="the faults whose name has these words; other rows stay as they are"
    )
    parsed = parser.parse_args()
    faults = {name: fault for name, fault in FAULTS.items() if parsed.only in name}
    trials: dict[str, list[Trial]] = {name: [] for name in faults}
    failures: Counter[str] = Counter()
    for time_of in range(1, parsed.times + 1):  # every fault once, and again: whenever it is stopped, all were tried as often
        for name, fault in faults.items():
            found = _tried(name, fault)
            failures[name] += found is None
            trials[name] += [found] if isinstance(found, Trial) else []
        rows = {name: _row(name, trials[name], failures[name]) for name in faults}
        _write(time_of, rows)
        print("\n".join([f"{time_of} times", *rows.values()]), flush=True)
    return 1 if failures.total() else 0


def _tried(name: str, fault: Fault) -> Trial | str | None:
    """The trial, when it came to its end; a text: why it cannot be made here; None: it did not hold."""
    with tempfile.TemporaryDirectory(prefix="fmbench-fault-") as place:
        try:
            return fault(Path(place))
        except pytest.skip.Exception as reason:
            print(f"{name}: {reason}", file=sys.stderr)
            return str(reason)
        except AssertionError as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"{name}: {where.name}, line {where.lineno}: {where.line}: {error}", file=sys.stderr, flush=True)
            return None


def _row(name: str, trials: list[Trial], failures: int) -> str:
    sent, lost = sum(each.sent for each in trials), sum(each.lost for each in trials)
    statuses = ", ".join(map(str, sorted({each.status for each in trials}))) or "–"
    unaccounted = sum(each.unaccounted for each in trials if each.unaccounted > 0)
    surplus = -sum(each.unaccounted for each in trials if each.unaccounted < 0)
    counts = f"{len(trials)} | {failures} | {sent:,} | {unaccounted:,} | {surplus:,} | {lost:,}"
    return f"| {name} | {counts} | {statuses} |"


def _write(times: int, rows: dict[str, str]) -> None:
    """Put the rows into the page, each in the place of its fault; a fault that was not tried now keeps the row that it had."""
    head = (
        "| fault | times | trials failed | requests sent | unaccounted | never seen by the endpoint | said to be lost "
        "| exit status |\n|---|--:|--:|--:|--:|--:|--:|---|"
    )
    said = f"`make bench-faults TIMES={times}`, {time.strftime('%Y-%m-%d', time.gmtime())}:"
    before, _, rest = PAGE.read_text().partition(BEGIN)
    table, _, after = rest.partition(END)
    kept = {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines() if line.startswith("| ")}
    lines = [line for name in FAULTS if (line := rows.get(name) or kept.get(name))]
    PAGE.write_text("\n".join([before + BEGIN, said, "", head, *lines, END]) + after)


if __name__ == "__main__":
    sys.exit(main())

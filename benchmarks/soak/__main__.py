"""``make soak``: an hour (``DURATION=``) in which everything around a run fails; writes its result to docs/reliability.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.soak import Soak, soak

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- make soak -->", "<!-- end of soak -->"
MOST_GROWTH = 5.0


def main() -> int:
    """1 when a request is unaccounted for, or a process grew."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="fmbench-soak-") as folder:
        result = soak(Path(folder), given.seconds, given.seed)
    lines = _lines(result, given.seed)
    print("\n".join(lines))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text("\n".join([before + BEGIN, *lines, END]) + rest.partition(END)[2])
    grown = [each for each in result.growth if max(each.memory, each.descriptors) >= MOST_GROWTH]
    return 1 if grown or result.unaccounted or result.unaccounted_stored or result.traceback or result.broken else 0


def _lines(result: Soak, seed: str) -> list[str]:
    counted = ", ".join(f"{what} {count}" for what, count in sorted(result.done.items()))
    answers = ", ".join(f"{what} {count:,}" for what, count in sorted(result.answers.items()))
    outages = ", ".join(f"{what} {count:,}" for what, count in sorted(result.outages.items()))
    cells = ", ".join(f"{status} {count}" for status, count in sorted(result.cells.items()))
    stored = f"{result.stored_runs} (by `--resume` {result.resumed_runs}; refused before a request {result.refused_runs})"
    rows = [
        f"`make soak DURATION={result.seconds:.0f} SEED={seed}`, {time.strftime('%Y-%m-%d', time.gmtime())}:",
        "",
        "| | |",
        "|---|---|",
        f"| faults | {counted} |",
        f"| answers | {answers} |",
        f"| S3 | {outages} |",
        f"| cells of the long run | {cells} |",
        f"| requests of the long run, unaccounted, said to be lost | {result.sent:,}, {result.unaccounted}, {result.lost} |",
        f"| short runs stored on S3 | {stored} |",
        f"| their requests, unaccounted | {result.stored_sent:,}, {result.unaccounted_stored} |",
        f"| exit statuses | {', '.join(f'{status}: {count}' for status, count in sorted(result.statuses.items()))} |",
        "",
    ]
    if not result.growth:
        return [*rows, "Too short to say whether a process grows: that is looked at from the eleventh minute on."]
    rows += ["| process, from its eleventh minute on | lived, min | memory | descriptors |", "|---|--:|--:|--:|"]
    for each in result.growth:
        rows.append(f"| {each.name} | {each.lived_s / 60:.0f} | {each.memory:+.1f} % | {each.descriptors:+.1f} % |")
    return rows


if __name__ == "__main__":
    sys.exit(main())

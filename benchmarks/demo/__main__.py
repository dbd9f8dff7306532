"""``python -m benchmarks.demo``: the demo so many times, as ``make demo`` runs it, with other work beside it.

Prints a row a try: seconds, the report's verdict on the run, how many p95s are decided, who was recommended, and why the verdict
is not PASS. The bar: PASS in 19 of 20 tries beside two busy loops, a median of at most 60 s, and the same model each time. Exits
with 1 beyond it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.accuracy.busy import busy

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs/quickstart.yml"
PASS = "PASS"
PASSING, MOST_S = 0.95, 60.0


@dataclass(frozen=True)
class Try:
    """What one run of the demo came to."""

    seconds: float
    verdict: str
    judged: int
    undecided: int
    recommended: str
    reasons: tuple[str, ...]
    load: float

    def row(self, number: int) -> str:
        """Its row of the table."""
        decided = f"{self.judged - self.undecided} of {self.judged}"
        why = "; ".join(self.reasons)
        return f"| {number} | {self.load:.1f} | {self.seconds:.1f} | {self.verdict} | {decided} | {self.recommended} | {why} |"


def main() -> None:
    """Try, print, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--busy", type=int, default=2, metavar="LOOPS", help="busy loops beside it (default 2)")
    options = parser.parse_args()
    print("| try | load average | seconds | verdict | p95s decided | recommended | why not PASS |")
    print("|--:|--:|--:|---|---|---|---|", flush=True)
    tries: list[Try] = []
    with busy(options.busy):
        for number in range(1, options.times + 1):
            tries.append(tried())
            print(tries[-1].row(number), flush=True)
    print(said(tries, options.busy))
    raise SystemExit(not held(tries))


def tried() -> Try:
    """The demo once, from a warm install."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "quickstart.yml"
        config.write_text(yaml.safe_dump(yaml.safe_load(CONFIG.read_text()) | {"output": folder}))
        start = time.monotonic()
        command = [sys.executable, "-m", "fmbench", "--config", str(config), "--yes"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - start
        if done.returncode:
            return Try(seconds, f"exit {done.returncode}", 0, 0, "", (done.stderr[-200:],), os.getloadavg()[0])
        summary = json.loads((Path(done.stdout.splitlines()[-1]) / "summary.json").read_text(encoding="utf-8"))
    return _of(summary, seconds)


def _of(summary: dict[str, Any], seconds: float) -> Try:
    judged = [one for cell in summary["cells"] for one in cell["objectives"] if "p95" in one["objective"]]
    undecided = sum(one["status"] == "undecided" for one in judged)
    validity, chosen = summary["validity"], summary["recommendation"] or {}
    recommended = f"{chosen['model']} at {chosen['concurrency']}" if chosen else "none"
    reasons = tuple(str(each["message"]) for each in validity["findings"] if each["severity"] != "note")
    return Try(seconds, validity["verdict"], len(judged), undecided, recommended, reasons, os.getloadavg()[0])


def said(tries: list[Try], loops: int) -> str:
    """The tries in one sentence."""
    passed, seconds = sum(one.verdict == PASS for one in tries), sorted(one.seconds for one in tries)
    answers = ", ".join(f"{name} ({count})" for name, count in Counter(one.recommended for one in tries).most_common())
    undecided = sum(one.undecided > 0 for one in tries)
    middle = seconds[len(tries) // 2]
    return (
        f"\n{passed} of {len(tries)} PASS beside {loops} busy loops on {os.cpu_count()} cores; median {middle:.1f} s, "
        f"longest {seconds[-1]:.1f} s; a p95 undecided in {undecided}; recommended: {answers}."
    )


def held(tries: list[Try]) -> bool:
    """Whether the bar is held."""
    models = {one.recommended.partition(" at ")[0] for one in tries}
    median = sorted(one.seconds for one in tries)[len(tries) // 2]
    return sum(one.verdict == PASS for one in tries) >= PASSING * len(tries) and median <= MOST_S and len(models) == 1


if __name__ == "__main__":
    main()

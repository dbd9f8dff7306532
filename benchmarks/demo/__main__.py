"""``python -m benchmarks.demo``: the demo so many times, as ``make demo`` runs it, with other work beside it.

Prints a row a try: seconds, the report's verdict on the run, how many p95s are decided, who was recommended, what of that is not
true (``truth``), how near a warning the run came (``margins``), and why the verdict is not PASS. The bar: PASS in 19 of 20 tries
beside two busy loops, a median of at most 60 s, and the right answer each time. Exits with 1 beyond it. ``--compilers N`` and
``--starters N`` add other work; ``--stops S`` stops the load processes for 0.2 s every S seconds. ``--keep FOLDER`` keeps runs;
``--of FOLDER`` judges kept runs by what their reports say now (``fmbench-load report RUN`` writes them again).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmarks.accuracy.busy import busy
from benchmarks.demo import CONFIG
from benchmarks.demo.beside import stops, work
from benchmarks.demo.margins import used
from benchmarks.demo.truth import Cell, Truth, truths

ROOT = CONFIG.parents[1]
PASS = "PASS"
PASSING, MOST_S = 0.95, 60.0
HEAD = (
    *("try", "load average", "seconds", "verdict", "p95s decided", "recommended", "not true", "p95s around the truth"),
    *("of its margins", "why not PASS"),
)


@dataclass(frozen=True)
class Try:
    """What one run of the demo came to."""

    seconds: float
    load: float
    verdict: str
    judged: int = 0
    undecided: int = 0
    recommended: str = ""
    wrong: tuple[str, ...] = ()
    around: str = ""
    margins: str = ""
    reasons: tuple[str, ...] = ()

    def row(self, number: int) -> str:
        """Its row of the table."""
        decided = f"{self.judged - self.undecided} of {self.judged}"
        found = [
            self.verdict,
            decided,
            self.recommended,
            "; ".join(self.wrong) or "–",
            self.around,
            self.margins,
            "; ".join(self.reasons),
        ]
        return f"| {number} | {self.load:.1f} | {self.seconds:.1f} | " + " | ".join(found) + " |"


def main() -> None:
    """Try, print, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--busy", type=int, default=2, metavar="LOOPS", help="busy loops beside it (default 2)")
    parser.add_argument("--compilers", type=int, default=0, metavar="N", help="processes beside it that compile and write")
    parser.add_argument("--starters", type=int, default=0, metavar="N", help="processes beside it that start others all the time")
    parser.add_argument("--stops", type=float, metavar="S", help="stop the load processes for 0.2 s every S seconds")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the runs there")
    parser.add_argument("--of", type=Path, metavar="FOLDER", help="judge the runs that were kept there")
    options = parser.parse_args()
    print(f"| {' | '.join(HEAD)} |\n|--:|--:|--:|---|---|---|---|---|---|---|", flush=True)
    tries: list[Try] = []
    kept = [] if options.of is None else sorted(path.parent for path in options.of.glob("*/summary.json"))
    with nullcontext() if kept else busy(options.busy), nullcontext() if kept else work(options.compilers, options.starters):
        for number in range(1, 1 + (len(kept) or options.times)):
            tries.append(judged_run(kept[number - 1], *_noted(kept[number - 1])) if kept else tried(options.keep, options.stops))
            print(tries[-1].row(number), flush=True)
    print(said(tries, options.busy))
    raise SystemExit(not held(tries))


def tried(keep: Path | None, stops_every_s: float | None = None) -> Try:
    """The demo once, from a warm install."""
    with tempfile.TemporaryDirectory() if keep is None else nullcontext(str(keep)) as folder:
        start = time.monotonic()
        command = [sys.executable, "-m", "fmbench", "--config", str(CONFIG), "--yes", "--output", folder]
        running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with stops(running.pid, stops_every_s):
            printed, errors = running.communicate()
        seconds, load = time.monotonic() - start, os.getloadavg()[0]
        if running.returncode:
            return Try(seconds, load, f"exit {running.returncode}", reasons=(errors[-200:],))
        run = Path(printed.splitlines()[-1])
        (run / NOTED).write_text(json.dumps([seconds, load]))
        return judged_run(run, seconds, load)


NOTED = "try.json"
"""Seconds and load average of a try that is kept."""


def _noted(run: Path) -> tuple[float, float]:
    seconds, load = json.loads((run / NOTED).read_text())
    return seconds, load


def judged_run(run: Path, seconds: float, load: float) -> Try:
    """A run as its report has it, held against what is true."""
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    judged = [one for cell in summary["cells"] for one in cell["objectives"] if "p95" in one["objective"]]
    findings = (each for each in summary["validity"]["findings"] if each["severity"] != "note")
    return Try(
        seconds,
        load,
        summary["validity"]["verdict"],
        len(judged),
        sum(one["status"] == "undecided" for one in judged),
        _recommended(summary),
        tuple(untrue(summary, _truths_of(run))),
        around_the_truth(summary, _truths_of(run)),
        ", ".join(f"{name} {100 * share:.0f} %" for name, share in used(summary).items()),
        tuple(str(each["message"]) for each in findings),
    )


def _recommended(summary: dict[str, Any]) -> str:
    chosen = summary["recommendation"] or {}
    return f"{chosen['model']} at {chosen['concurrency']}" if chosen.get("model") else "none"


def _truths_of(run: Path) -> dict[Cell, Truth]:
    records = pd.read_parquet(run / "records", columns=["bucket", "prompt_id", "input_tokens", "outcome"])
    prompts = records[records["outcome"] == "ok"].drop_duplicates(["bucket", "prompt_id"]).sort_values("prompt_id")
    lengths = {str(bucket): tuple(rows["input_tokens"].astype(int)) for bucket, rows in prompts.groupby("bucket")}
    return _truths(tuple(sorted(lengths.items())))


@cache
def _truths(lengths: tuple[tuple[str, tuple[int, ...]], ...]) -> dict[Cell, Truth]:
    return truths(yaml.safe_load(CONFIG.read_text()), dict(lengths))


def untrue(summary: dict[str, Any], truth: dict[Cell, Truth]) -> list[str]:
    """What the report says of limits and of the pick that is not so."""
    limits = yaml.safe_load(CONFIG.read_text())["objectives"]
    wrong = []
    for cell in summary["cells"]:
        name = (cell["model"], cell["bucket"], cell["concurrency"])
        for one in cell["objectives"]:
            if "p95" not in one["objective"]:
                continue
            meets = truth[name].of(one["objective"]) <= limits[one["objective"]]
            if one["status"] == ("not_met" if meets else "met"):
                wrong.append(f"{one['objective']} of {name[0]}, {name[1]}, {name[2]} users: {one['status']}")
    right = _right_pick(summary, truth, limits)
    return wrong if _recommended(summary) == right else [*wrong, f"the pick is {right}"]


def around_the_truth(summary: dict[str, Any], truth: dict[Cell, Truth]) -> str:
    """How many of the p95s' intervals hold what is true of the endpoint when it has the cores for itself."""
    held = [
        low <= true <= high
        for cell in summary["cells"]
        for true, column in zip(astuple(truth[cell["model"], cell["bucket"], cell["concurrency"]]), LIMITED, strict=True)
        for low, high in [cell[column]["ci95"]["p95"] or (math.inf, -math.inf)]
    ]
    return f"{sum(held)} of {len(held)}"


LIMITED = ("ttft_s", "e2e_s")
"""The latencies of a ``Truth``, in its order."""


def _right_pick(summary: dict[str, Any], truth: dict[Cell, Truth], limits: dict[str, Any]) -> str:
    """The cheapest model that truly meets both limits in the bucket of interest, at its most users; prices are not in doubt."""
    bucket, price = limits["bucket"], {cell["model"]: cell["usd_per_10k"] for cell in summary["cells"]}
    able = [
        (price[model], -users, f"{model} at {users}")
        for (model, where, users), true in truth.items()
        if where == bucket and true.ttft_p95 <= limits["ttft_p95_s"] and true.e2e_p95 <= limits["e2e_p95_s"]
    ]
    return min(able)[2]


def said(tries: list[Try], loops: int) -> str:
    """The tries in one sentence."""
    passed, seconds = sum(one.verdict == PASS for one in tries), sorted(one.seconds for one in tries)
    answers = ", ".join(f"{name} ({count})" for name, count in Counter(one.recommended for one in tries).most_common())
    undecided, wrong = sum(one.undecided > 0 for one in tries), sum(bool(one.wrong) for one in tries)
    middle = seconds[len(tries) // 2]
    return (
        f"\n{passed} of {len(tries)} PASS beside {loops} busy loops on {os.cpu_count()} cores; median {middle:.1f} s, "
        f"longest {seconds[-1]:.1f} s; a p95 undecided in {undecided}; recommended: {answers}; something untrue in {wrong}."
    )


def held(tries: list[Try]) -> bool:
    """Whether the bar is held."""
    median = sorted(one.seconds for one in tries)[len(tries) // 2]
    passed = sum(one.verdict == PASS for one in tries) >= PASSING * len(tries)
    return passed and median <= MOST_S and not any(one.wrong for one in tries)


if __name__ == "__main__":
    main()

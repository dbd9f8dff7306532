"""How long a report takes, and how much memory: made-up records in a run folder, then `fmbench-load report` on it.

    python benchmarks/report/benchmark_report.py [--records 1000000] [--keep FOLDER]

Prints one JSON line: seconds and peak resident megabytes of the command, and of its parts in a process of their own.
The bar: 1,000,000 records in 15 s and 1.5 GB on 2 cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

CELLS = 18
MEGA = 1024.0


def main() -> None:
    """Make the run, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="make the run here, or use the one that is here, and leave it")
    parser.add_argument("--part", choices=["make", "parts"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part == "make":
        make_run(options.keep, options.records)
    elif options.part == "parts":
        print(json.dumps(parts_of(options.keep)))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            print(json.dumps(measured(options.keep or Path(scratch) / "run", options.records)))


def measured(folder: Path, records: int) -> dict[str, object]:
    """Seconds and peak memory of the command on a run of so many records at ``folder``."""
    if not folder.exists():
        _python(__file__, "--part", "make", "--keep", str(folder), "--records", str(records))
    start = time.perf_counter()
    peak = _peak_of("-m", "fmbench", "report", str(folder))
    seconds = time.perf_counter() - start
    shown = json.loads(_python(__file__, "--part", "parts", "--keep", str(folder)).splitlines()[-1])
    return {"records": records, "seconds": round(seconds, 2), "peak_mb": round(peak), "parts": shown}


def make_run(folder: Path, records: int) -> None:
    """A made-up run of about so many records."""
    from tests.report.support import Study, make, store

    store(make(Study(requests=records // CELLS, levels=(64, 256, 1024))), folder)


def parts_of(folder: Path) -> dict[str, float]:
    """Seconds of the report's parts, one after the other in this process, and its peak memory."""
    from fmbench.core.summary import summarise
    from fmbench.core.table import COLUMNS
    from fmbench.report import write_report
    from fmbench.storage.reader import open_run

    clock = [time.perf_counter()]
    run = open_run(str(folder))
    records = run.records(list(COLUMNS))
    clock.append(time.perf_counter())
    summary = summarise(records, run.manifest, run.health())
    clock.append(time.perf_counter())
    del records
    write_report(run, summary)
    clock.append(time.perf_counter())
    read, summed, written = (round(end - start, 2) for start, end in pairwise(clock))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGA
    return {"read_s": read, "summarise_s": summed, "write_report_s": written, "peak_mb": round(peak)}


def _peak_of(*arguments: str) -> float:
    """Runs Python and gives the peak resident megabytes of that process alone."""
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    return usage.ru_maxrss / MEGA


def _python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, cwd=ROOT).stdout


if __name__ == "__main__":
    main()

"""How long a report takes, and how much memory: made-up records in a run folder, then `fmbench-load report` on it.

    python benchmarks/report/benchmark_report.py [--records 1000000] [--keep FOLDER]

Prints one JSON line: seconds, CPU seconds and peak resident megabytes of the command, and CPU seconds of its parts in a process
of their own. CPU seconds, of all processes of the command, are what a shared machine can be judged by. The bar: 1,000,000 records
in 10 s of CPU and 600 MB; 10,000,000 (`--records 10000000`) in 45 s and 2 GB. Exits with 1 beyond it.
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
from typing import Any

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
            found = measured(options.keep or Path(scratch) / "run", options.records)
        print(json.dumps(found))
        raise SystemExit(not within(found))


def measured(folder: Path, records: int) -> dict[str, Any]:
    """Seconds and peak memory of the command on a run of so many records at ``folder``."""
    if not folder.exists():
        _python(__file__, "--part", "make", "--keep", str(folder), "--records", str(records))
    start = time.perf_counter()
    usage = _usage_of("-m", "fmbench", "report", str(folder))
    seconds = time.perf_counter() - start
    shown = json.loads(_python(__file__, "--part", "parts", "--keep", str(folder)).splitlines()[-1])
    cpu = round(usage.ru_utime + usage.ru_stime, 2)
    return {
        "records": records,
        "seconds": round(seconds, 2),
        "cpu_s": cpu,
        "peak_mb": round(usage.ru_maxrss / MEGA),
        "parts": shown,
    }


def within(found: dict[str, Any]) -> bool:
    """Whether the bar is held, by CPU seconds and peak memory."""
    if found["records"] <= 1_000_000:
        return bool(found["cpu_s"] <= 10 and found["peak_mb"] <= 600)
    return bool(found["cpu_s"] <= 45 and found["peak_mb"] <= 2_000)


def make_run(folder: Path, records: int) -> None:
    """A made-up run of about so many records."""
    from tests.report.support import Study, make, store

    store(make(Study(requests=records // CELLS, levels=(64, 256, 1024))), folder)


def parts_of(folder: Path) -> dict[str, float]:
    """CPU seconds of the report's parts, one after the other in this process."""
    from fmbench.core.summary import summarise_table
    from fmbench.report import write_report
    from fmbench.run.evidence import table_of
    from fmbench.storage.reader import open_run

    clock = [0.0, time.process_time()]
    run = open_run(str(folder))
    table = table_of(run)
    clock.append(time.process_time())
    summary = summarise_table(table, run.manifest, run.health())
    clock.append(time.process_time())
    write_report(run, summary, table)
    clock.append(time.process_time())
    names = ("import_s", "read_s", "summarise_s", "write_report_s")
    return {name: round(end - start, 2) for name, (start, end) in zip(names, pairwise(clock), strict=True)}


def _usage_of(*arguments: str) -> resource.struct_rusage:
    """Runs Python, and gives what that process alone used."""
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    return usage


def _python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, cwd=ROOT).stdout


if __name__ == "__main__":
    main()

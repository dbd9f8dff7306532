"""The end of a run: Locust's own statistics as CSV, and ``load.json``."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import locust
from locust.stats import PERCENTILES_TO_REPORT, StatsCSV

from fmbench.core.neutral import neutral_cell
from fmbench.load.controller.crew import Crew
from fmbench.load.deadlines import STATISTICS_WAIT_S
from fmbench.load.leaving import OVER, mark
from fmbench.load.protocol import IGNORED

HISTORY = ("Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s", "Total Request Count", "Total Failure Count")


class History:
    """Appends what Locust counts to ``locust/history.csv``, once a second."""

    def __init__(self, environment: Any, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "history.csv"
        new = not path.exists()
        self._environment = environment
        self._file = path.open("a", newline="")
        self._writer = csv.writer(self._file)
        if new:
            self._writer.writerow(HISTORY)
        self._greenlet = gevent.spawn(self._write_each_second)

    def close(self) -> None:
        """Write the last row."""
        self._greenlet.kill()
        self._row()
        with suppress(OSError):
            self._file.close()

    def _write_each_second(self) -> None:
        while True:
            self._row()
            gevent.sleep(1)

    def _row(self) -> None:
        stats, runner = self._environment.stats.total, self._environment.runner
        rates = (f"{stats.current_rps:.2f}", f"{stats.current_fail_per_sec:.2f}")
        counts = (stats.num_requests, stats.num_failures)
        with suppress(OSError):  # what ends a run is that its journals cannot be written
            self._writer.writerow([int(time.time()), runner.user_count, "", "Aggregated", *rates, *counts])
            self._file.flush()


def finish(environment: Any, crew: Crew, folder: Path, ended: str, message: str) -> None:
    """Let the workers close their files, then write Locust's statistics and, last of all, ``load.json``.

    Nothing is written for a run folder that is not there any more: what it held is where it was moved to.
    """
    mark(OVER)
    crew.part_with(crew.present() & crew.members.keys())
    crew.give_up_silent()
    if not folder.is_dir():
        return
    sent = sum(member.ok + member.failed for member in crew.members.values())
    waited = _wait_for_statistics(environment, sent)
    with suppress(OSError):
        write_statistics(environment, folder / "locust")
    total = environment.stats.total
    counts = {"version": locust.__version__, "requests": total.num_requests, "failures": total.num_failures, "waited_s": waited}
    workers = [member.to_row() for member in crew.members.values()]
    row = {"ended": ended, "message": message, "ended_at": time.time(), "workers": workers, "locust": counts}
    row |= {"ignored_messages": dict(IGNORED.by_reason)} if IGNORED.total else {}
    _write_json(folder / "load.json", row)


class _Neutral:
    """Writes rows of a table whose text no spreadsheet takes for a formula."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def writerow(self, row: Iterable[Any]) -> None:
        self._writer.writerow([neutral_cell(cell) if isinstance(cell, str) else cell for cell in row])

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        for row in rows:
            self.writerow(row)


def write_statistics(environment: Any, folder: Path) -> None:
    """``stats.csv`` and ``failures.csv`` with Locust's own headers."""
    folder.mkdir(parents=True, exist_ok=True)
    source = StatsCSV(environment, PERCENTILES_TO_REPORT)
    for name, write in (("stats.csv", source.requests_csv), ("failures.csv", source.failures_csv)):
        with (folder / name).open("w", newline="") as file:
            write(_Neutral(csv.writer(file)))


def _wait_for_statistics(environment: Any, requests: int) -> float:
    """Until Locust has heard of every request from its workers, or can be expected to hear of no more."""
    began = time.monotonic()
    while environment.stats.total.num_requests < requests and time.monotonic() - began < STATISTICS_WAIT_S:
        gevent.sleep(0.05)
    return round(time.monotonic() - began, 2)


def _write_json(path: Path, row: dict[str, Any]) -> None:
    part = path.with_name(f".{path.name}.part")
    with part.open("w") as file:
        file.write(json.dumps(row, indent=1, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)

"""What Locust counted, from its own CSV: the independent count that the records are held against."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from fmbench.core.neutral import cell_as_written

TOTAL = "Aggregated"


def locust_counts(folder: Path) -> dict[str, Any] | None:
    """``{requests, failures, counts: {name: {requests, failures}}}`` over every ``stats.csv`` in and below ``folder``.

    A resumed run has one for each of its sessions. None when Locust did not come to write any.
    """
    files = sorted(folder.rglob("stats.csv"))
    counts: dict[str, dict[str, int]] = {}
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found = counts.setdefault(cell_as_written(row["Name"]), {"requests": 0, "failures": 0})
                found["requests"] += int(row["Request Count"])
                found["failures"] += int(row["Failure Count"])
    total = counts.pop(TOTAL, {"requests": 0, "failures": 0})
    return {**total, "counts": counts} if files else None

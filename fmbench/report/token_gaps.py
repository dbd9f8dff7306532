"""Token gaps of a run: of a sample of whole requests, read part by part, so that a long run does not fill the memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmbench.core.cells import measured_cells
from fmbench.core.table import read
from fmbench.report.picture import Values, thinned
from fmbench.storage.stamps import StampedPart

MOST_PARTS = 12
MOST_REQUESTS = 6_000
"""Requests sampled over all parts; each gives all its gaps."""
PLACED = ["cell", "model", "bucket", "concurrency", "rate_per_min", "phase", "outcome", "intended_at", "sent_at", "ended_at"]
"""The columns that say whether a request counts."""


def token_gaps(records: Path, attempts: list[dict[str, Any]]) -> dict[str, Values]:
    """Seconds between neighbouring content events by model, of a fixed, even sample of the answered requests that count.

    ``records`` is the folder of Parquet parts, ``attempts`` the lines of cells.jsonl.
    """
    parts = sorted(records.glob("*.parquet"))
    chosen = [parts[place] for place in thinned(np.arange(len(parts)), MOST_PARTS)]
    found: dict[str, list[Values]] = {}
    for path in chosen:
        part = StampedPart(path, PLACED)
        sample = thinned(np.flatnonzero(_counts(part.rows, attempts) & part.known), max(1, MOST_REQUESTS // len(chosen)))
        for model, stamps in zip(part.rows["model"].iloc[sample], part.stamps_of(sample), strict=True):
            found.setdefault(str(model), []).append(np.diff(np.asarray(stamps, dtype=np.float64)))
    return {model: np.concatenate(gaps) for model, gaps in sorted(found.items())}


def _counts(rows: pd.DataFrame, attempts: list[dict[str, Any]]) -> NDArray[np.bool_]:
    """Which of ``rows`` are answered and measured in an attempt that counts; attempts at a cell do not overlap in time."""
    answered = np.asarray((rows["phase"] == "measure") & (rows["outcome"] == "ok"))
    sent = [cell.rows.known("sent_at") for cell in measured_cells(read(rows), attempts, {})]
    return answered & np.isin(rows["sent_at"].to_numpy(), np.concatenate(sent) if sent else np.empty(0))

"""Token gaps of a run: of a sample of whole requests, read part by part, so that a long run does not fill the memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fmbench.report.picture import Values
from fmbench.report.study import thinned

MOST_PARTS = 12
MOST_REQUESTS = 6_000
"""Requests sampled over all parts; each gives all its gaps."""


def token_gaps(records: Path) -> dict[str, Values]:
    """Seconds between neighbouring content events by model, of a fixed, even sample of the answered, measured requests.

    ``records`` is the folder of Parquet parts.
    """
    parts = sorted(records.glob("*.parquet"))
    chosen = [parts[place] for place in thinned(np.arange(len(parts)), MOST_PARTS)]
    found: dict[str, list[Values]] = {}
    for part in chosen:
        rows = pd.read_parquet(part, columns=["model", "phase", "outcome", "content_s"])
        rows = rows[(rows["phase"] == "measure") & (rows["outcome"] == "ok") & rows["content_s"].notna()]
        rows = rows.iloc[thinned(np.arange(len(rows)), max(1, MOST_REQUESTS // len(chosen)))]
        for model, stamps in zip(rows["model"], rows["content_s"], strict=True):
            found.setdefault(str(model), []).append(np.diff(np.asarray(stamps, dtype=np.float64)))
    return {model: np.concatenate(gaps) for model, gaps in sorted(found.items())}

"""The quota over time, by hand: 100 tokens of a prompt, 80 reserved for an answer of 10 that weighs 5 each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fmbench.core.table import read
from fmbench.report.charts.quota import taken

MOMENTS = np.array([1.0, 31.0, 65.0, 71.0])


def _request(sent_at: float, **more: Any) -> dict[str, Any]:
    tokens = {"prompt_tokens": 90, "input_tokens": 60, "cache_read_tokens": 40, "output_tokens": 10, "max_tokens": 80}
    return (
        {"cell": 0, "model": "m", "outcome": "ok", "failure": None, "sent_at": sent_at, "ended_at": sent_at + 2} | tokens | more
    )


def test_tokens_of_the_minute_before_each_moment() -> None:
    refused = {"outcome": "failed", "failure": "throttled_tokens", "input_tokens": None, "output_tokens": None}
    rows = read(pd.DataFrame([_request(0), _request(30), _request(31, **refused), _request(70)])).rows
    held, settled = taken(rows, 5.0, MOMENTS)
    assert settled.tolist() == [110, 220, 110, 220], (
        "60 + 10 x 5: what the cache held is given back; of the throttled one nothing"
    )
    assert held.tolist() == [180, 290, 110, 290], "180 of each that is under way: of one in all but the third"

"""The second witness: what CloudWatch counted of the run's minutes, beside what the records say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fmbench.core.cells import MeasuredCell
from fmbench.core.failures import PERMANENT, THROTTLES
from fmbench.core.quota.tokens import burndown_of
from fmbench.core.table import Rows

COUNTS_DIFFER = 0.01
"""Counts that differ by a larger share differ."""
SLOWER_SHARE, SLOWER_S = 0.25, 0.1
"""What a client may wait longer than the service knows of: the way there and back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """One figure by both. ``theirs`` None: CloudWatch has no datapoint of it."""

    model: str
    figure: str
    """``invocations``, ``throttles``, ``input_tokens``, ``output_tokens``, ``quota_tokens``, ``ttft_s``."""
    ours: float
    theirs: float | None

    @property
    def differs(self) -> bool | None:
        """Whether the two do not agree; None: there is one alone."""
        if self.theirs is None:
            return None
        apart = self.ours - self.theirs
        if self.figure == "ttft_s":
            return apart < -COUNTS_DIFFER * self.ours or apart > max(SLOWER_S, SLOWER_SHARE * self.ours)
        return abs(apart) > COUNTS_DIFFER * max(self.ours, self.theirs)

    def to_dict(self) -> dict[str, Any]:
        """For the summary."""
        return asdict(self) | {"differs": self.differs}


def witnessed(cells: Iterable[MeasuredCell], told: Mapping[str, Any] | None) -> list[Witnessed]:
    """Each figure of each model that CloudWatch was asked of; ``told`` is the manifest's ``cloudwatch``."""
    models = (told or {}).get("models") or {}
    rows: dict[str, list[Rows]] = {}
    for cell in cells:
        rows.setdefault(cell.model_id, []).append(cell.rows)
    return [each for model_id, theirs in models.items() if model_id in rows for each in _of(model_id, rows[model_id], theirs)]


def _of(model_id: str, parts: list[Rows], theirs: Mapping[str, Any]) -> list[Witnessed]:
    samples, sums = theirs.get("ttft_samples"), theirs.get("ttft_ms_sum")
    seconds = None if not samples or sums is None else float(sums) / float(samples) / 1000
    waits = np.concatenate([rows[rows.ok].known("ttft_s") for rows in parts])
    counts = {name: sum(_count(name, rows, model_id) for rows in parts) for name in _COUNTED}
    found = [Witnessed(model=model_id, figure=name, ours=ours, theirs=theirs.get(name)) for name, ours in counts.items()]
    if len(waits):
        found.append(Witnessed(model=model_id, figure="ttft_s", ours=float(waits.mean()), theirs=seconds))
    return found


_COUNTED = ("invocations", "throttles", "input_tokens", "output_tokens", "quota_tokens")


def _count(name: str, rows: Rows, model_id: str) -> float:
    words = rows.words["failure"]
    if name == "throttles":
        return float(sum(int(words.is_(word).sum()) for word in THROTTLES))
    if name == "invocations":
        refused = sum(int(words.is_(word).sum()) for word in THROTTLES | PERMANENT)
        return float((rows.ok | rows.failed).sum() - refused)
    if name == "quota_tokens":
        tokens = np.nan_to_num(rows.number("input_tokens")) + np.nan_to_num(rows.number("cache_write_tokens"))
        return float((tokens + burndown_of(model_id) * np.nan_to_num(rows.number("output_tokens"))).sum())
    return float(np.nan_to_num(rows.number(name)).sum())

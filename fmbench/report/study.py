"""What the charts and pages read: the summary, the manifest and the requests, by cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmbench.core.cells import Key, level_of, measured_cells
from fmbench.core.figures.figure import Figure
from fmbench.core.objectives import Objective, objectives_of
from fmbench.core.table import Rows, Table, Words
from fmbench.report.names import short_names
from fmbench.report.picture import Values
from fmbench.report.style import Look, look_of

Cell = dict[str, Any]


def ordered(items: list[Any]) -> list[Any]:
    """Each of ``items`` once, in the order of appearance."""
    return list(dict.fromkeys(items))


def bucket_key(bucket: str) -> tuple[str, int, int]:
    """Sorts ``en_500-1000`` before ``en_1000-2000``."""
    language, _, size = bucket.rpartition("_")
    low, _, high = size.partition("-")
    return (language, int(low), int(high)) if low.isdigit() and high.isdigit() else (bucket, 0, 0)


@dataclass(frozen=True)
class Study:
    """One run, read for its report: all its requests, and ``gaps``, seconds between content events by model."""

    summary: dict[str, Any]
    manifest: dict[str, Any]
    table: Table
    gaps: dict[str, Values] = field(default_factory=dict)

    @cached_property
    def cells(self) -> list[Cell]:
        """The summary's cells, models in the configuration's order, then buckets by size, then levels."""
        order = {model: index for index, model in enumerate(self.models)}

        def place(cell: Cell) -> tuple[int, tuple[str, int, int], float]:
            return order[cell["model"]], bucket_key(cell["bucket"]), level_of(cell)

        return sorted(self.summary["cells"], key=place)

    @cached_property
    def models(self) -> list[str]:
        """Labels of all models asked for, in the configuration's order, then any others of the cells."""
        asked = [model.get("label") or model["id"] for model in self.config.get("models", [])]
        return ordered([*asked, *(cell["model"] for cell in self.summary["cells"])])

    @cached_property
    def buckets(self) -> list[str]:
        """The buckets that have cells, the bucket of interest first, the others by size."""
        found = sorted({cell["bucket"] for cell in self.summary["cells"]}, key=bucket_key)
        return sorted(found, key=lambda bucket: bucket != self.bucket_of_interest)

    @cached_property
    def levels(self) -> list[float]:
        """The levels that have cells, rising: users, or requests a minute of an open loop."""
        return sorted({level_of(cell) for cell in self.summary["cells"]})

    @cached_property
    def open_loop(self) -> bool:
        """Whether levels are requests a minute, and not users."""
        return any(cell.get("rate_per_min") is not None for cell in self.summary["cells"])

    @property
    def load_words(self) -> str:
        """What a level counts."""
        return "requests a minute" if self.open_loop else "users"

    @property
    def level_heading(self) -> str:
        """The title of a column of levels."""
        return "Requests/min" if self.open_loop else "Users"

    @cached_property
    def config(self) -> dict[str, Any]:
        """The configuration as resolved; empty when the manifest has none."""
        return self.manifest.get("config") or {}

    @property
    def objectives(self) -> dict[str, float]:
        """The limits, by their configuration key."""
        return self.summary.get("objectives") or {}

    @cached_property
    def limits(self) -> list[Objective]:
        """The limits that cells are judged by."""
        return objectives_of(self.objectives)

    def limit(self, figure: Figure) -> float | None:
        """The limit on a figure; None when there is none."""
        return next((one.limit for one in self.limits if one.figure == figure), None)

    @property
    def bucket_of_interest(self) -> str | None:
        """The bucket that the recommendation is for."""
        return self.summary.get("bucket_of_interest")

    @property
    def bucket_asked(self) -> str | None:
        """The bucket that an answer was asked for, also when the run never came to it."""
        return self.bucket_of_interest or (self.config.get("objectives") or {}).get("bucket")

    @property
    def verdict(self) -> dict[str, Any] | None:
        """The verdict on the bucket of interest; None when nothing was measured."""
        return next((found for found in self.summary.get("verdicts") or [] if found["bucket"] == self.bucket_of_interest), None)

    def front(self, bucket: str) -> list[Cell]:
        """The Pareto front of a bucket: the cells that no other beats in latency, cost and throughput at once."""
        return next((found["pareto"] for found in self.summary.get("verdicts") or [] if found["bucket"] == bucket), [])

    def cell(self, model: str, bucket: str, level: float | None) -> Cell | None:
        """The summary's row of one cell."""
        return next((cell for cell in self.ladder(model, bucket) if level_of(cell) == level), None)

    @cached_property
    def retries(self) -> dict[Any, Cell]:
        """What retries brought, by model, bucket and level; empty where nothing could be tried again."""
        rows = self.summary.get("retries") or []
        return {(row["model"], row["bucket"], level_of(row)): row for row in rows if row["retried"]}

    def as_judged(self, cell: Cell) -> dict[str, Any]:
        """A cell's latencies as objectives see them, by column, where those are not the records' own."""
        again = self.retries.get((cell["model"], cell["bucket"], level_of(cell)))
        return again["whole"] if again else (cell.get("open_loop") or {}).get("from_intended") or {}

    @cached_property
    def _short(self) -> dict[str, str]:
        return short_names(self.models)

    def short(self, model: str) -> str:
        """The name that legends and tables use."""
        return self._short.get(model, model)

    @cached_property
    def named(self) -> list[str]:
        """The models that sentences name: at most four, the chosen one and the runner-up among them, in their own order."""
        chosen = self.summary.get("recommendation") or {}
        first = [chosen.get("model"), (chosen.get("runner_up") or {}).get("model"), *self.models]
        kept = ordered([model for model in first if model in self.models])[:4]
        return [model for model in self.models if model in kept]

    def look(self, model: str) -> Look:
        """The model's colour, marker and dash: by its place in the configuration, everywhere the same."""
        return look_of(self.models.index(model)) if model in self.models else look_of(0)

    def ladder(self, model: str, bucket: str) -> list[Cell]:
        """The cells of a model and bucket, levels rising."""
        return [cell for cell in self.cells if cell["model"] == model and cell["bucket"] == bucket]

    @cached_property
    def level_shown(self) -> float | None:
        """The level that pictures of one level show: the recommended one, else the highest that all models ran."""
        chosen = self.summary.get("recommendation")
        if chosen:
            return level_of(chosen)
        ran = [{level_of(cell) for cell in self.cells if cell["model"] == model} for model in self.models]
        common = set.intersection(*[levels for levels in ran if levels]) if any(ran) else set()
        return max(common, default=max(self.levels, default=None)) if self.levels else None

    @property
    def attempts(self) -> list[Cell]:
        """The lines of cells.jsonl: when each attempt at a cell was warmed up, measured and drained."""
        return self.manifest.get("cells") or []

    def counts(self, attempt: Cell) -> bool:
        """Whether figures are of this attempt: it ended as its cell did (a spoilt one of a cell that was completed does not)."""
        cell = self.cell(attempt["model"], attempt["bucket"], level_of(attempt))
        return cell is not None and cell["status"] == attempt["status"]

    @property
    def requests(self) -> Rows:
        """Every request of the run: all phases, and attempts that do not count."""
        return self.table.rows

    @cached_property
    def unanswered(self) -> NDArray[np.bool_]:
        """Which of all requests failed or were abandoned."""
        return ~self.requests.ok

    @cached_property
    def kinds(self) -> Words:
        """Of all requests: the kind of failure, else the outcome."""
        failure, outcome = self.requests.words["failure"], self.requests.words["outcome"]
        codes = np.where(failure.codes >= 0, failure.codes, outcome.codes + len(failure.names))
        return Words(codes, (*failure.names, *outcome.names))

    def of_model(self, model: str) -> NDArray[np.bool_]:
        """Which of all requests went to ``model``."""
        return self.requests.words["model"].is_(model)

    @cached_property
    def start(self) -> float:
        """UTC epoch seconds of the first request (0 when none was sent)."""
        sent = self.requests.known("sent_at")
        return float(sent.min()) if len(sent) else 0.0

    @cached_property
    def counted(self) -> dict[Key, Rows]:
        """The answered requests of the measured windows that count, by model, bucket and level: those that latencies are of."""
        cells = measured_cells(self.table, self.attempts, {})
        return {cell.key: cell.rows[cell.rows.measured & cell.rows.ok] for cell in cells}

    def values(self, name: str, model: str, bucket: str | None = None, level: float | None = None) -> Values:
        """A numeric column of the answered requests that count of a model (and bucket, and level)."""
        kept = [
            rows.number(name)
            for (whose, where, users, rate), rows in self.counted.items()
            if whose == model and bucket in (None, where) and level in (None, users if rate is None else rate)
        ]
        return np.concatenate(kept) if kept else np.empty(0)


def unsteady(cell: Cell) -> bool:
    """Whether the steady part, found from the data, begins inside the cell's measured window."""
    return bool((cell.get("steady") or {}).get("unsteady_s"))

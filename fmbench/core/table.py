"""The records as arrays: only the columns that figures need, sorted by cell and time, so that a cell is a slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmbench.core.clusters import Common, numbered
from fmbench.core.columns import Chosen, Flags, Words
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.quantiles import Floats

__all__ = ["COLUMNS", "Flags", "Floats", "Rows", "Table", "Words", "moment", "no_rows", "read"]

NUMBERS = (
    "concurrency",
    "rate_per_min",
    "intended_at",
    "sent_at",
    "ended_at",
    "connect_s",
    *(latency.column for latency in LATENCIES),
    "ttft_read_s",
    "e2e_read_s",
    "prompt_tokens",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "max_tokens",
    "usd",
    "user",
    "seq",
    "attempt",
    "backoff_s",
    "paced_s",
)
WORDS = (
    *("model", "dataset", "bucket", "phase", "outcome", "failure", "stop_reason", "worker", "prompt_id"),
    *("service_tier", "service_tier_asked", "latency_mode", "latency_mode_asked", "answered", "message"),
)
SCORES = ("quality",)
SCORED_BY = ("metric",)
"""Columns that are read only where ``quality``, the answers' scores, was joined to the records, with the ``metric`` of each."""

COLUMNS = ("cell", *WORDS, *NUMBERS)
"""The record columns that ``summarise`` reads: load no others."""


@dataclass(frozen=True)
class Rows:
    """Some requests, in the order in which they were sent. Numbers are float64 with NaN for null."""

    numbers: Mapping[str, Floats]
    words: Mapping[str, Words]

    def __len__(self) -> int:
        return len(self.numbers["sent_at"])

    def __getitem__(self, rows: Any) -> Rows:
        return Rows(Chosen(self.numbers, rows), Chosen(self.words, rows))

    def number(self, name: str) -> Floats:
        """A numeric column."""
        return self.numbers[name]

    def known(self, name: str) -> Floats:
        """A numeric column's values that are not null."""
        values = self.numbers[name]
        return values[~np.isnan(values)]

    @property
    def blocks(self) -> Floats | None:
        """The number of the repeat that each request is of; None where there is one."""
        return self.numbers.get("block")

    @cached_property
    def common(self) -> Common:
        """What each request has in common with others."""
        return Common(self.blocks, numbered(self.senders), self.prompts, self.hosts)

    @property
    def prompts(self) -> NDArray[np.int64]:
        """A number for each request's prompt; one whose prompt is not known stands alone."""
        names = self.words["prompt_id"]
        alone = names.codes.astype(np.int64)
        unknown = alone < 0
        alone[unknown] = len(names.names) + np.arange(int(unknown.sum()))
        return numbered(alone)

    @property
    def hosts(self) -> NDArray[np.int64] | None:
        """A number for the load process that sent each request; None where there is one."""
        codes = self.words["worker"].codes
        return numbered(codes.astype(np.int64)) if len(codes) and codes.min() != codes.max() else None

    @property
    def senders(self) -> NDArray[np.int64]:
        """A number for the user that sent each request: of its load process, by its own number there. -1s where not known."""
        users = np.nan_to_num(self.numbers["user"], nan=-1).astype(np.int64)
        return users * (len(self.words["worker"].names) + 1) + self.words["worker"].codes

    @cached_property
    def ok(self) -> Flags:
        """Which requests gave a whole answer."""
        return self.words["outcome"].is_("ok")

    @cached_property
    def answered(self) -> Rows:
        """The requests that gave a whole answer."""
        return self[self.ok]

    @property
    def text(self) -> Flags:
        """Which requests gave a whole answer with text; where a record does not say what its answer gave, it counts as text."""
        gave = self.words["answered"]
        return self.ok & ((gave.codes < 0) | gave.is_("text"))

    @property
    def failed(self) -> Flags:
        """Which requests failed."""
        return self.words["outcome"].is_("failed")

    @property
    def dropped(self) -> Flags:
        """Which requests were due in an open loop and never sent."""
        return self.words["outcome"].is_("dropped")

    @cached_property
    def measured(self) -> Flags:
        """Which requests were sent in a measured window."""
        return self.words["phase"].is_("measure")

    @property
    def at(self) -> Floats:
        """When each request belongs in time: sent, or else intended, or else over."""
        return moment(self.numbers)


@dataclass(frozen=True, slots=True)
class Table:
    """All requests of a run, a slice a cell."""

    rows: Rows
    slices: dict[int, slice]

    def cells(self) -> Iterator[tuple[int, Rows]]:
        """Every cell's index and its requests."""
        for cell, place in self.slices.items():
            yield cell, self.rows[place]

    def pieces(self) -> Iterator[Rows]:
        """Every request once, in order: those of no cell, then cell by cell."""
        first = min((place.start for place in self.slices.values()), default=len(self.rows))
        if first:
            yield self.rows[slice(0, first)]
        for _, rows in self.cells():
            yield rows


def read(records: pd.DataFrame) -> Table:
    """The records as a table; a column that is not there counts as null throughout."""
    numbers = {name: _numbers(records, name) for name in (*NUMBERS, *SCORES) if name in records or name in NUMBERS}
    named = (*WORDS, *SCORED_BY) if "quality" in records else WORDS
    words = {name: _words(records, name) for name in named}
    cell = _numbers(records, "cell")
    cells = np.where(np.isnan(cell), -1, cell).astype(np.int64)
    order = np.lexsort((moment(numbers), cells))
    for name in numbers:
        numbers[name] = numbers[name][order]
    for name in words:
        words[name] = words[name][order]
    return Table(Rows(numbers, words), _slices(cells[order]))


@cache
def no_rows() -> Rows:
    """The rows of a cell that never ran."""
    return read(pd.DataFrame()).rows


def _slices(cells: NDArray[np.int64]) -> dict[int, slice]:
    found, starts = np.unique(cells, return_index=True)
    ends = np.append(starts, len(cells))[1:]
    places = zip(found, starts, ends, strict=True)
    return {int(cell): slice(int(start), int(end)) for cell, start, end in places if cell >= 0}


def moment(numbers: Mapping[str, Floats]) -> Floats:
    """When each request belongs in time: sent, or else intended, or else over."""
    sent, intended, ended = (numbers[name] for name in ("sent_at", "intended_at", "ended_at"))
    first = np.where(np.isnan(sent), intended, sent)
    return np.where(np.isnan(first), ended, first)


def _numbers(records: pd.DataFrame, name: str) -> Floats:
    if name not in records:
        return np.full(len(records), np.nan)
    column = records[name]
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column, errors="coerce")
    return finite(np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan)))


def finite(values: NDArray[Any]) -> NDArray[Any]:
    """The same without infinities, which no record of ours has: NaN in their place."""
    beyond = np.isinf(values)
    return np.where(beyond, np.nan, values) if beyond.any() else values


def _words(records: pd.DataFrame, name: str) -> Words:
    if name not in records:
        return Words(np.full(len(records), -1, dtype=np.int32), ())
    codes, names = pd.factorize(records[name], sort=True)
    return Words(np.asarray(codes, dtype=np.int32), tuple(str(word) for word in names))

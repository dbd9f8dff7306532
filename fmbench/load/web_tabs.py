"""The tabs of the web UI, as words: cells that are over, at work and to come, figures over time, the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fmbench.config.load import resolved
from fmbench.config.schema import Config
from fmbench.core.failures import THROTTLES
from fmbench.load.event_words import level_words, rate, seconds
from fmbench.load.events import CellNow, Percentiles

if TYPE_CHECKING:
    from fmbench.load.controller.status import Progress

Row = dict[str, str]
VERDICTS = {True: "met", False: "not met", None: "undecided"}


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: a table with these columns."""

    key: str
    title: str
    columns: Mapping[str, str]


CELLS = Tab(
    "cells",
    "Cells",
    {
        "name": "cell",
        "state": "state",
        "verdict": "objectives",
        "ttft_p50": "TTFT p50",
        "ttft_p95": "TTFT p95 (n)",
        "e2e_p50": "end to end p50",
        "e2e_p95": "end to end p95 (n)",
        "answers": "answers/min",
        "tokens": "output tokens/min",
        "failed": "failed",
        "throttled": "throttled",
        "usd": "USD of all sent",
    },
)
TIMES = Tab(
    "times",
    "Over time",
    {
        "name": "time (UTC)",
        "cell": "cell",
        "answers": "answers",
        "ttft_p50": "TTFT p50",
        "ttft_p95": "TTFT p95",
        "e2e_p95": "end to end p95",
        "tokens": "output tokens/min",
        "failed": "failed",
        "throttled": "throttled",
        "usd": "USD of the run",
    },
)
CONFIGURATION = Tab("configuration", "Configuration", {"name": "key", "value": "value"})
TABS = (CELLS, TIMES, CONFIGURATION)


def cell_rows(progress: Progress, summary: Mapping[str, Any] | None) -> list[Row]:
    """Every cell's row. Figures of the report, once ``summary`` is there; counted in steps of 2 % until then."""
    done = progress.cells()
    reported = {} if summary is None else _only_ones(summary)
    attempts = [(cell.model, cell.bucket, cell.users) for cell in done if cell.state == "complete"]
    rows = []
    for cell in done:
        key = (cell.model, cell.bucket, cell.users)
        found = reported.get(key) if cell.state == "complete" and attempts.count(key) == 1 else None
        rows.append(row_of(cell) | ({} if found is None else _reported(found)))
    return rows + [row_of(cell) for cell in progress.to_come()]


def row_of(cell: CellNow) -> Row:
    """A cell's row of the tab, by what the load processes counted."""
    name = f"{cell.place} of {cell.cells}: {cell.model}, {cell.bucket}, {level_words(cell.users, cell.rate_per_min)}"
    tokens = None if cell.output_tokens_per_s is None else 60 * cell.output_tokens_per_s
    return {
        "name": name,
        "safe_name": name,
        "state": f"{cell.state}: {cell.reason}" if cell.reason else cell.state,
        "verdict": "-",
        "ttft_p50": seconds(cell.ttft.p50),
        "ttft_p95": _with_n(cell.ttft),
        "e2e_p50": seconds(cell.e2e.p50),
        "e2e_p95": _with_n(cell.e2e),
        "answers": rate(cell.answers_per_min),
        "tokens": rate(tokens),
        "failed": str(cell.failed),
        "throttled": str(cell.throttled),
        "usd": "unknown" if cell.usd is None else f"{cell.usd:.4f}",
    }


def _reported(cell: Mapping[str, Any]) -> Row:
    """The figures of a cell of summary.json."""
    ttft, e2e = (Percentiles(n=cell[key]["n"], p50=cell[key]["p50"], p95=cell[key]["p95"]) for key in ("ttft_s", "e2e_s"))
    tokens = cell["output_tokens_per_s"]
    return {
        "verdict": VERDICTS[cell["meets_objectives"]],
        "ttft_p50": seconds(ttft.p50),
        "ttft_p95": _with_n(ttft),
        "e2e_p50": seconds(e2e.p50),
        "e2e_p95": _with_n(e2e),
        "answers": rate(cell["transactions_per_minute"]),
        "tokens": rate(None if tokens is None else 60 * tokens),
        "failed": str(cell["failed"]),
        "throttled": str(sum(count for kind, count in cell["failures"].items() if kind in THROTTLES)),
    }


def _only_ones(summary: Mapping[str, Any]) -> dict[tuple[str, str, int], Mapping[str, Any]]:
    """The cells of a summary by model, bucket and level, where that names just one."""
    found: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for cell in summary["cells"]:
        found.setdefault((cell["model"], cell["bucket"], cell["concurrency"]), []).append(cell)
    return {key: cells[0] for key, cells in found.items() if len(cells) == 1}


def _with_n(found: Percentiles) -> str:
    return f"{seconds(found.p95)} ({found.n})"


def configuration_rows(config: Config) -> list[Row]:
    """Every key that has a value, without secrets."""
    return [{"name": key, "safe_name": key, "value": value} for key, value in _leaves(resolved(config), "")]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from _leaves(below, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for number, below in enumerate(value):
            yield from _leaves(below, f"{path}[{number}]")
    elif isinstance(value, list):
        yield path, ", ".join(map(str, value))
    else:
        yield path, str(value)

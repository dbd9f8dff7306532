"""The tabs of the web UI, as words: cells that are over, at work and to come, figures over time, the configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmbench.config.load import resolved
from fmbench.config.schema import Config
from fmbench.core.failures import THROTTLES
from fmbench.load.event_words import failed_words, level_words, rate, seconds
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
        "tpot_p50": "TPOT p50",
        "e2e_p50": "end to end p50",
        "e2e_p95": "end to end p95 (n)",
        "planned": "p95 from the plan's moment: TTFT, end to end",
        "answers": "answers/min",
        "tokens": "output tokens/min",
        "failed": "failed",
        "throttled": "throttled",
        "dropped": "dropped",
        "quota": "quota taken/min",
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
        "tpot_p50": "TPOT p50",
        "e2e_p95": "end to end p95",
        "tokens": "output tokens/min",
        "failed": "failed",
        "throttled": "throttled",
        "quota": "quota taken/min",
        "usd": "USD of the run",
    },
)
CONFIGURATION = Tab("configuration", "Configuration", {"name": "key", "value": "value"})
TABS = (CELLS, TIMES, CONFIGURATION)


def quota_words(admitted_per_min: float | None, quota_tpm: float | None) -> str:
    """``84,000 of 200,000 (42 %)`` tokens a minute at admission; without a quota in the configuration the tokens alone."""
    if admitted_per_min is None:
        return "-"
    taken = rate(admitted_per_min)
    return taken if not quota_tpm else f"{taken} of {quota_tpm:,.0f} ({100 * admitted_per_min / quota_tpm:.0f} %)"


def quotas_of(config: Config, folder: Path) -> dict[str, float | None]:
    """Tokens a minute that each model may take, by its label, as the report of the run in ``folder`` has them."""
    from fmbench.core.quota.usage import quota_for  # statistics: not in every load process

    told: dict[str, Any] = {}
    with suppress(OSError, ValueError, AttributeError):
        told = json.loads((folder / "manifest.json").read_text()).get("quotas") or {}
    known = {"config": config.model_dump(include={"quota", "models"}), "quotas": told}
    found = {model.name: quota_for(known, model.name, model.id, model.endpoint) for model in config.models}
    return {name: None if quota is None else quota.tpm for name, quota in found.items()}


def cell_rows(progress: Progress, summary: Mapping[str, Any] | None, quotas: Mapping[str, float | None]) -> list[Row]:
    """Every cell's row. Figures of the report, once ``summary`` is there; counted in steps of 2 % until then."""
    done = progress.cells()
    reported = {} if summary is None else _only_ones(summary["cells"])
    taken = {} if summary is None else _only_ones(summary.get("quota") or [])
    attempts = [_level(cell) for cell in done if cell.state == "complete"]
    rows = []
    for cell in done:
        key, quota = _level(cell), quotas.get(cell.model)
        found = reported.get(key) if cell.state == "complete" and attempts.count(key) == 1 else None
        told = {} if found is None else _reported(found, taken.get(key), quota)
        told |= {} if cell.attempts is None else {"failed": failed_words(cell)}  # the summary's are attempts
        rows.append(row_of(cell, quota) | told)
    return rows + [row_of(cell, quotas.get(cell.model)) for cell in progress.to_come()]


Level = tuple[str, str, float]


def _level(cell: CellNow) -> Level:
    return cell.model, cell.bucket, cell.users if cell.rate_per_min is None else cell.rate_per_min


def row_of(cell: CellNow, quota_tpm: float | None = None) -> Row:
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
        "tpot_p50": seconds(cell.tpot.p50),
        "e2e_p50": seconds(cell.e2e.p50),
        "e2e_p95": _with_n(cell.e2e),
        "planned": planned_words(cell.ttft_planned, cell.e2e_planned),
        "answers": rate(cell.answers_per_min),
        "tokens": rate(tokens),
        "failed": failed_words(cell),
        "throttled": str(cell.throttled),
        "dropped": "-" if cell.rate_per_min is None else str(cell.dropped),
        "quota": quota_words(cell.admitted_tpm, quota_tpm),
        "usd": "unknown" if cell.usd is None else f"{cell.usd:.4f}",
    }


def _reported(cell: Mapping[str, Any], taken: Mapping[str, Any] | None, quota_tpm: float | None) -> Row:
    """The figures of a cell of summary.json, and what it ``taken`` of the quota."""
    ttft, e2e = (Percentiles(n=cell[key]["n"], p50=cell[key]["p50"], p95=cell[key]["p95"]) for key in ("ttft_s", "e2e_s"))
    tokens = cell["output_tokens_per_s"]
    return {
        "verdict": VERDICTS[cell["meets_objectives"]],
        "ttft_p50": seconds(ttft.p50),
        "ttft_p95": _with_n(ttft),
        "tpot_p50": seconds(cell["tpot_s"]["p50"]),
        "e2e_p50": seconds(e2e.p50),
        "e2e_p95": _with_n(e2e),
        **_of_open_loop(cell.get("open_loop")),
        "answers": rate(cell["transactions_per_minute"]),
        "tokens": rate(None if tokens is None else 60 * tokens),
        "failed": str(cell["failed"]),
        "throttled": str(sum(count for kind, count in cell["failures"].items() if kind in THROTTLES)),
        "quota": quota_words(None if taken is None else taken["admitted_tpm"], quota_tpm),
    }


def _of_open_loop(found: Mapping[str, Any] | None) -> Row:
    """Of a closed loop nothing: a dash is there already."""
    if found is None:
        return {}
    latencies = (found["from_intended"][key] for key in ("ttft_s", "e2e_s"))
    ttft, e2e = (Percentiles(n=one["n"], p50=one["p50"], p95=one["p95"]) for one in latencies)
    return {"planned": planned_words(ttft, e2e), "dropped": str(found["dropped"])}


def planned_words(ttft: Percentiles | None, e2e: Percentiles | None) -> str:
    """``210 ms, 1.20 s``; a dash in a closed loop, which plans no moments."""
    return "-" if ttft is None or e2e is None else f"{seconds(ttft.p95)}, {seconds(e2e.p95)}"


def _only_ones(rows: Iterable[Mapping[str, Any]]) -> dict[Level, Mapping[str, Any]]:
    """The rows of a summary by model, bucket and level, where that names just one."""
    found: dict[Level, list[Mapping[str, Any]]] = {}
    for row in rows:
        level = row.get("rate_per_min") or row["concurrency"]
        found.setdefault((row["model"], row["bucket"], level), []).append(row)
    return {key: rows[0] for key, rows in found.items() if len(rows) == 1}


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

"""``summary.json``: everything that a run's records and manifest say, as one plain dict. A pure function of the two."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from fmbench.core.anytime import block_s_of
from fmbench.core.bill import bill_of, prices_in
from fmbench.core.cells import MeasuredCell, joined, measured_cells
from fmbench.core.cloudwatch import witnessed
from fmbench.core.findings.finding import Evidence
from fmbench.core.findings.registry import validity
from fmbench.core.instrument import health_in, instrument_error
from fmbench.core.lateness import lateness_of
from fmbench.core.messages import Message
from fmbench.core.money import total_usd
from fmbench.core.objectives import Objective, objectives_of, screens_of
from fmbench.core.quota.found import quota_searches
from fmbench.core.quota.usage import endpoint_of, quota_for, quota_use
from fmbench.core.reasons import NoCells, NothingPlanned, QuotaSearched
from fmbench.core.reconcile import counts_by_name, differences, locust_requests
from fmbench.core.records import SCHEMA_VERSION
from fmbench.core.results import CellResult, result_of, token_ratios
from fmbench.core.retry_effect import retries_of
from fmbench.core.routes import route_differences
from fmbench.core.searches import search_rows
from fmbench.core.table import Rows, Table, read
from fmbench.core.thinking import thinking_of
from fmbench.core.traffic import demand_of, month_of, with_capacities
from fmbench.core.verdict import decide


def summarise(records: pd.DataFrame, manifest: Mapping[str, Any], health: pd.DataFrame) -> dict[str, Any]:
    """The summary of a run: its cells, the recommendation and why, how far the numbers can be trusted, the bill.

    What there is to say in it is a ``Message``; ``report.summary.worded`` makes sentences of them, as ``summary.json`` has them.

    ``records`` needs the columns of ``table.COLUMNS`` (others are not looked at; a missing one counts as null, and ``quality``,
    the score of an answer from 0 to 1, may be joined). The result holds plain Python values without NaN or infinities, and is the
    same for the same input. docs/metrics.md defines every figure.
    """
    return summarise_table(read(records), manifest, health)


def summarise_table(table: Table, manifest: Mapping[str, Any], health: pd.DataFrame) -> dict[str, Any]:
    """The same, of records that are a table already."""
    config = manifest.get("config") or {}
    asked = _limits(config)
    load = config.get("load") or {}
    cells = measured_cells(table, manifest.get("cells") or [], _model_ids(config))
    cells = [replace(cell, block_s=block_s_of(load, cell.windows)) for cell in cells]
    judged = [] if _judges_nothing(config) else [*asked, *screens_of(config.get("objectives") or {})]
    results = [result_of(cell, judged, _dataset(manifest), health) for cell in cells]
    if _judges_nothing(config):
        for found in results:
            found.row["meets_objectives"] = None
    verdicts = _verdicts(results, config)
    bucket = _bucket_of_interest(results, config)
    chosen = verdicts.get(bucket or "")
    own_counts = counts_by_name(table)
    late = lateness_of(table.rows)
    measured = health_in(health, [window for cell in cells for window in cell.windows])
    wanted = (config.get("objectives") or {}).get("bucket")
    bucket = bucket if bucket in {found.cell.bucket for found in results} else None
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": manifest.get("run_id"),
        "cells": [found.row for found in results],
        "recommendation": None if chosen is None else chosen["recommendation"],
        "recommendation_reason": _why_nothing(results, config) if chosen is None else chosen["reason"],
        "bucket_of_interest": bucket,
        "bucket_of_interest_is": "configured" if wanted else "the one with most requests",
        "verdicts": list(verdicts.values()),
        "objectives": {objective.name: objective.limit for objective in asked},
        "prefer": _prefer(config),
        "validity": validity(Evidence(results, manifest, own_counts)),
        "accounting": _accounting(table, manifest, own_counts),
        "spend": _spend(table, manifest),
        "quota": _quota(cells, manifest),
        **({"retries": again} if (again := _retries(cells, config)) else {}),
        "thinking": _thinking(cells, manifest),
        **({"cloudwatch": [each.to_dict() for each in seen]} if (seen := witnessed(cells, manifest.get("cloudwatch"))) else {}),
        **({"routes": rows} if (rows := _routes(cells, config)) else {}),
        "traffic": _traffic(cells, manifest, bucket),
        **({"search": rows} if (rows := _searches(table, manifest)) else {}),
        "instrument_error_s": instrument_error(measured) if late is None else late.p95,
        "lateness_s": None if late is None else late.to_dict(),
        "token_ratios": token_ratios([found for found in results if found.row["requests"]]),
    }


def _model_ids(config: Mapping[str, Any]) -> dict[str, str]:
    return {str(model.get("label") or model["id"]): str(model["id"]) for model in config.get("models") or []}


def _dataset(manifest: Mapping[str, Any]) -> str:
    datasets = manifest.get("datasets") or []
    return str(datasets[0].get("name") or "") if datasets else ""


def _prefer(config: Mapping[str, Any]) -> str:
    return str((config.get("objectives") or {}).get("prefer") or "cost")


def _judges_nothing(config: Mapping[str, Any]) -> bool:
    """Whether the run looks for a quota: its bursts are sent to be throttled, and say nothing of a model."""
    return ((config.get("load") or {}).get("search") or {}).get("of") == "quota"


def _limits(config: Mapping[str, Any]) -> list[Objective]:
    return [] if _judges_nothing(config) else objectives_of(config.get("objectives") or {})


def _why_nothing(results: list[CellResult], config: Mapping[str, Any]) -> Message:
    """Why there is no verdict."""
    wanted = (config.get("objectives") or {}).get("bucket")
    if results and _judges_nothing(config):
        return QuotaSearched()
    return NothingPlanned(str(wanted)) if wanted and results else NoCells()


def _verdicts(results: list[CellResult], config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if _judges_nothing(config):
        return {}
    asked = _limits(config)
    buckets = dict.fromkeys(found.cell.bucket for found in results)
    return {bucket: decide(results, bucket, _prefer(config), asked) for bucket in buckets}


def _bucket_of_interest(results: list[CellResult], config: Mapping[str, Any]) -> str | None:
    """The configured bucket, else the one with the most measured requests (the first of equals)."""
    asked = (config.get("objectives") or {}).get("bucket")
    if asked:
        return str(asked)
    totals: dict[str, int] = {}
    for found in results:
        totals[found.cell.bucket] = totals.get(found.cell.bucket, 0) + found.row["requests"]
    return max(totals, key=totals.__getitem__, default=None)


def _accounting(table: Table, manifest: Mapping[str, Any], own_counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The manifest's accounting, the rows by phase and outcome, and what Locust counted."""
    rows = table.rows
    return {
        **(manifest.get("accounting") or {}),
        "rows": len(rows),
        "by_phase": {phase: int(rows.words["phase"].is_(phase).sum()) for phase in ("warmup", "measure", "drain")},
        "by_outcome": {outcome: int(rows.words["outcome"].is_(outcome).sum()) for outcome in ("ok", "failed", "abandoned")},
        "locust_requests": locust_requests(manifest),
        "locust_differs": differences(own_counts, manifest),
    }


def _spend(table: Table, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What all requests cost, warm-up and drain included; ``unpriced`` counts answers whose price is not known."""
    rows = table.rows
    prices = prices_in(manifest.get("price_book") or {})
    by_model = {name: _bill(mine) | bill_of(mine, prices.get(name)) for name, mine in _by_model(table).items()}
    budget = ((manifest.get("config") or {}).get("budget") or {}).get("max_usd")
    return {**_bill(rows), "by_model": by_model, "budget_usd": budget}


def _retries(cells: list[MeasuredCell], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What retries brought each cell that was measured."""
    asked = (config.get("load") or {}).get("retry")
    return [found for cell in cells if len(cell.rows) and (found := retries_of(cell, asked)) is not None]


def _by_model(table: Table) -> dict[str, Rows]:
    """The requests to each model, in the order of the models' names."""
    found: dict[str, list[Rows]] = {}
    for rows in table.pieces():
        models = rows.words["model"]
        there = models.counts()
        for name in there:
            found.setdefault(name, []).append(rows if there[name] == len(rows) else rows[models.is_(name)])
    return {name: joined(pieces) for name, pieces in sorted(found.items())}


def _thinking(cells: list[MeasuredCell], manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each cell whose answers thought, or have no text."""
    prices = prices_in(manifest.get("price_book") or {})
    found = [thinking_of(cell, prices.get(cell.model)) for cell in cells]
    return [each.to_dict() for each in found if each is not None]


def _quota(cells: list[MeasuredCell], manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each cell took of its model's quota in its measured window."""
    ids = _model_ids(manifest.get("config") or {})
    found: list[dict[str, Any]] = []
    for cell in cells:
        model_id = ids.get(cell.model, cell.model)
        seconds = math.fsum(end - start for start, end in cell.windows)
        endpoint = endpoint_of(manifest, cell.model)
        quota = quota_for(manifest, cell.model, model_id, endpoint)
        measured = cell.rows[cell.rows.measured]
        use = quota_use(cell.model, model_id, cell.bucket, cell.concurrency, measured, seconds, quota, endpoint)
        found += [] if use is None else [{**use.to_dict(), "rate_per_min": cell.rate_per_min}]
    return found


def _searches(table: Table, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a search of the run found: limits by its objectives, or quotas."""
    load, lines = (manifest.get("config") or {}).get("load") or {}, manifest.get("cells") or []
    return search_rows(load, lines) or quota_searches(load, table.rows, lines)


def _routes(cells: list[MeasuredCell], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each route differs in from the first one to its model."""
    return [each.to_dict() for each in route_differences(cells, config.get("models") or [])]


def _traffic(cells: list[MeasuredCell], manifest: Mapping[str, Any], bucket: str | None) -> dict[str, Any]:
    """What each model costs a month at the traffic asked for, by its measured requests in the bucket of interest."""
    config = manifest.get("config") or {}
    asked = with_capacities(config.get("traffic") or {}, config.get("models") or [])
    prices, demand = prices_in(manifest.get("price_book") or {}), demand_of(asked)
    mine: dict[str, list[Rows]] = {}
    for cell in cells:
        if cell.bucket == bucket and len(cell.rows):
            mine.setdefault(cell.model, []).append(cell.rows[cell.rows.measured])
    months = [month_of(model, joined(rows), prices.get(model), demand, asked) for model, rows in mine.items()]
    return {**asdict(demand), "bucket": bucket, "models": [month.to_dict() for month in months if month is not None]}


def _bill(rows: Rows) -> dict[str, Any]:
    usd = rows.number("usd")
    unpriced = int((np.isnan(usd) & rows.ok).sum())
    known = usd[~np.isnan(usd)]
    return {
        "usd": total_usd(known) if not unpriced and len(known) else None,
        "known_usd": total_usd(known) if len(known) else None,
        "unpriced": unpriced,
        "requests": len(rows),
        "input_tokens": int(np.nansum(rows.number("input_tokens"))),
        "output_tokens": int(np.nansum(rows.number("output_tokens"))),
    }

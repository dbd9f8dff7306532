"""How near a run came to each warning that a busy machine can cause: what was measured, as a share of what would be one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fmbench.core.findings.concurrency import ACHIEVED_SHARE
from fmbench.core.findings.steady_state import UNSTEADY_SHARE
from fmbench.core.instrument import BUSY_CPU, DELAY_FLOOR_S, DELAY_SHARE, LAG_FLOOR_S, LAG_SHARE

Cell = Mapping[str, Any]


def _slowest(cell: Cell) -> float:
    """The median latency that stamped runs hold lateness against, seconds."""
    return max(cell["ttft_s"]["p50"], cell["e2e_s"]["p50"])


def _lateness(cell: Cell) -> float:
    if (cell["instrument"]["lateness_s"] or {}).get("ends"):
        return 0.0
    return (cell["instrument"]["lag_s"] or 0.0) / max(LAG_FLOOR_S, LAG_SHARE * _slowest(cell))


def _start_delay(cell: Cell) -> float:
    """By the p99 that a summary has; the p95 has to be as late for a warning."""
    return (cell["instrument"]["start_delay_p99_s"] or 0.0) / max(DELAY_FLOOR_S, DELAY_SHARE * _slowest(cell))


def _cpu(cell: Cell) -> float:
    return (cell["instrument"]["cpu"] or 0.0) / BUSY_CPU


def _in_flight(cell: Cell) -> float:
    return (1 - cell["achieved_concurrency"] / cell["concurrency"]) / (1 - ACHIEVED_SHARE)


def _steady(cell: Cell) -> float:
    return cell["steady"]["unsteady_s"] / cell["duration_s"] / UNSTEADY_SHARE


def _undone(cell: Cell) -> float:
    return float(cell["status"] != "complete")


MARGINS: dict[str, Callable[[Cell], float]] = {
    "read late": _lateness,
    "start delay": _start_delay,
    "CPU": _cpu,
    "in flight": _in_flight,
    "steady": _steady,
    "cells": _undone,
}
"""By the finding's subject, in short; a finding from 1 on."""


def used(summary: Mapping[str, Any]) -> dict[str, float]:
    """Of each margin, how much the worst cell used."""
    return {name: max(map(of, summary["cells"])) for name, of in MARGINS.items()}

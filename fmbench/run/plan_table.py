"""The plan as a table: what would be sent, what it may take and cost."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console
from rich.table import Table

from fmbench.core.plan import Estimate

_COLUMNS = ("model", "bucket", "users", "requests", "input tokens", "output tokens", "time", "USD")


def print_plan(estimate: Estimate, target: str, stream: TextIO | None = None) -> None:
    """Print a row a cell, and the sum."""
    stream = stream or sys.stdout
    table = Table(title=f"Plan: {len(estimate.rows)} cells against {target}", caption=_caption(estimate), caption_justify="left")
    for index, column in enumerate(_COLUMNS):
        table.add_column(column, justify="left" if index < 2 else "right", no_wrap=True)
    for row in estimate.rows:
        cell = row.cell
        counts = (str(cell.concurrency), f"{row.requests:,}", f"{row.input_tokens:,}", f"{row.output_tokens:,}")
        table.add_row(cell.model, cell.bucket, *counts, duration_text(row.seconds), usd_text(row.usd))
    table.add_section()
    sums = (f"{estimate.requests:,}", f"{estimate.input_tokens:,}", f"{estimate.output_tokens:,}")
    table.add_row("all", "", "", *sums, duration_text(estimate.seconds), usd_text(estimate.usd), style="bold")
    Console(file=stream, width=None if stream.isatty() else 160).print(table)


def _caption(estimate: Estimate) -> str:
    unpriced = f" Without a known price: {', '.join(estimate.unpriced)}." if estimate.unpriced else ""
    return f"Expected, from the windows and a usual pace; a budget holds whatever happens.{unpriced}"


def duration_text(seconds: float) -> str:
    """``45 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def usd_text(usd: float | None) -> str:
    """``unknown`` for no price: it is not 0."""
    if usd is None:
        return "unknown"
    return f"{usd:,.2f}" if usd >= 1 or usd == 0 else f"{usd:.2g}"

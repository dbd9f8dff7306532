"""The plan as tables: what would be sent, what it may take and cost."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.table import Table

from fmbench.core.estimate import SLACK, CellEstimate, Estimate, Usd, total_usd
from fmbench.report.wording import count_of, level_digits
from fmbench.run.fit import plain_cell

_COUNTS = ("requests", "input tokens", "output tokens", "time")
_USD = ("USD low", "USD expected", "USD most")
MOST_DECIMALS = 6


def print_plan(estimate: Estimate, target: str, stream: TextIO | None = None) -> None:
    """Print a row a cell, a row a model where there are several, and the sum; all USD with as many decimals."""
    stream = stream or sys.stdout
    decimals = decimals_for([estimate.usd, *(row.usd for row in estimate.rows)])
    title = plain_cell(f"Plan: {_counted(estimate)} against {target}")
    table = Table(title=title, caption=plain_cell(_caption(estimate)), caption_justify="left")
    for index, column in enumerate(("model", "bucket", _level_heading(estimate), *_COUNTS, *_USD)):
        table.add_column(column, justify="left" if index < 2 else "right", no_wrap=True)
    for row in estimate.rows:
        table.add_row(plain_cell(row.cell.model), row.cell.bucket, _level(row), *_sums([row]), *_usd(row.usd, decimals))
    table.add_section()
    if len(estimate.models) > 1:
        for model in estimate.models:
            rows = estimate.of_model(model)
            table.add_row(plain_cell(model), "all", "", *_sums(rows), *_usd(total_usd(rows), decimals))
        table.add_section()
    table.add_row("all", "", "", *_sums(estimate.rows), *_usd(estimate.usd, decimals), style="bold")
    Console(file=stream, width=None if stream.isatty() else 180).print(table)


def _counted(estimate: Estimate) -> str:
    if all(row.up_to is None for row in estimate.rows):
        return count_of(len(estimate.rows), "cell")
    return "1 search" if len(estimate.rows) == 1 else f"{len(estimate.rows)} searches"


def _level(row: CellEstimate) -> str:
    lowest = level_digits(row.cell.level)
    return lowest if row.up_to is None else f"{lowest} to {level_digits(row.up_to)}"


def _level_heading(estimate: Estimate) -> str:
    return "requests/min" if any(row.cell.rate_per_min is not None for row in estimate.rows) else "users"


def _sums(rows: list[CellEstimate]) -> tuple[str, ...]:
    counts = (sum(row.requests for row in rows), sum(row.input_tokens for row in rows), sum(row.output_tokens for row in rows))
    return (*(f"{count:,}" for count in counts), duration_text(math.fsum(row.seconds for row in rows)))


def _usd(usd: Usd | None, decimals: int) -> tuple[str, str, str]:
    if usd is None:
        return ("unknown",) * 3
    return (f"{usd.low:,.{decimals}f}", f"{usd.expected:,.{decimals}f}", f"{usd.most:,.{decimals}f}")


def _caption(estimate: Estimate) -> str:
    unpriced = f" Without a known price: {', '.join(estimate.unpriced)}." if estimate.unpriced else ""
    meaning = (
        f"Expected: from the windows and a usual pace. Low: answers {SLACK:g} times slower and shorter, none of them failed. "
        f"Most: answers {SLACK:g} times quicker and as long as max_tokens, every request at the most that it can cost. "
        "A budget holds whatever happens."
    )
    return meaning + _search_words(estimate) + _attempts_words(estimate) + unpriced


def _search_words(estimate: Estimate) -> str:
    if all(row.up_to is None for row in estimate.rows):
        return ""
    return (
        " A search is expected to find its limit in the middle of its range; low: not even the lowest level meets the "
        "objectives; most: no level shows anything before it has all that it may."
    )


def _attempts_words(estimate: Estimate) -> str:
    if estimate.attempts == 1:
        return ""
    most = sum(row.requests for row in estimate.rows) * estimate.attempts
    return (
        f" Retries: expected and low are without any; most is with all {estimate.attempts} attempts of every request "
        f"(of those expected {most:,} in all)."
    )


def duration_text(seconds: float) -> str:
    """``45 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def decimals_for(sums: Iterable[Usd | None]) -> int:
    """So many decimals that the smallest sum shows two digits: 2 to ``MOST_DECIMALS``, one precision for all."""
    smallest = min((usd.low for usd in sums if usd is not None and usd.low > 0), default=1.0)
    return min(MOST_DECIMALS, max(2, 1 - math.floor(math.log10(smallest))))


def cost_text(estimate: Estimate) -> str:
    """What a plan may cost, and the models that it says nothing of."""
    if estimate.usd is None:
        return "an unknown cost"
    unknown = f" and the unknown cost of {', '.join(estimate.unpriced)}" if estimate.unpriced else ""
    return f"{range_text(estimate.usd)} USD{unknown}"


def range_text(usd: Usd) -> str:
    """``about 0.41 (0.12 to 1.90)``, in one precision."""
    low, expected, most = _usd(usd, decimals_for([usd]))
    return f"about {expected} ({low} to {most})"

"""The last lines of a run, from summary.json alone: a row a model at its best level, whether it is valid, where its report is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from fmbench.core.cells import level_of, level_shown
from fmbench.report.names import short_names
from fmbench.report.numbers import DASH, plain, seconds, usd
from fmbench.report.wording import level_digits
from fmbench.run.fit import fitted, plain_cell

PASS = "PASS"
MOST_FINDINGS = 3
UNBOUNDED = 400
"""Columns that the table may have where it does not go to a terminal."""
COLUMNS = ("model", "users", "TTFT p50", "p95", "end to end p50", "p95", "answers/min", "tokens/s", "$/10k", "verdict")

Summary = Mapping[str, Any]


def closing_table(summary: Summary) -> Table | None:
    """A row a model of the bucket of interest, at its best level; None when nothing was measured there."""
    bucket = str(summary.get("bucket_of_interest"))
    verdict = next((found for found in summary.get("verdicts") or [] if found["bucket"] == bucket), None)
    if verdict is None or not verdict["models"]:
        return None
    title = plain_cell(f"Each model at its best level, {bucket}")
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in _columns(verdict):
        table.add_column(column, justify="left" if column in ("model", "verdict") else "right", no_wrap=True)
    names = short_names([row["model"] for row in verdict["models"]])
    for row in verdict["models"]:
        table.add_row(*map(plain_cell, [names[row["model"]], *_cells(summary, bucket, row)]))
    return table


def _columns(verdict: Mapping[str, Any]) -> Sequence[str]:
    """The columns' titles; levels of an open loop are requests a minute."""
    by_rate = any((row.get("closest") or {}).get("rate_per_min") is not None for row in verdict["models"])
    return [{"users": "asked/min"}.get(column, column) if by_rate else column for column in COLUMNS]


def _cells(summary: Summary, bucket: str, row: Mapping[str, Any]) -> Sequence[str]:
    level = level_shown(row)
    wanted = (row["model"], bucket, level)
    cell = next((c for c in summary["cells"] if (c["model"], c["bucket"], level_of(c)) == wanted), None)
    if cell is None:
        return [DASH] * (len(COLUMNS) - 2) + ["not measured"]
    latencies = [seconds(cell[metric][which]) for metric in ("ttft_s", "e2e_s") for which in ("p50", "p95")]
    rates = [plain(cell["transactions_per_minute"]), plain(cell["output_tokens_per_s"])]
    return [level_digits(level_of(cell)), *latencies, *rates, usd(cell["usd_per_10k"]), _met(row, summary)]


def _met(row: Mapping[str, Any], summary: Summary) -> str:
    words = {"met": "all met" if summary.get("objectives") else "no objective", "undecided": "undecided", "not_met": "not met"}
    return words.get(str(row.get("status")), "not measured")


def doubt_lines(summary: Summary) -> list[str]:
    """Why an answer is not certain: the first reason, and how many more the report has; nothing where it is."""
    chosen = summary.get("recommendation") or {}
    doubts = [str(doubt) for doubt in chosen.get("doubts") or []]
    if not doubts or (summary.get("validity") or {}).get("verdict") == "INVALID":
        return []
    more = f" (and {len(doubts) - 1} more in the report)" if len(doubts) > 1 else ""
    return [f"It is not certain. {doubts[0]}{more}"]


def settling_lines(summary: Summary) -> list[str]:
    """The least difference that the run would have seen, and what is open takes; nothing of a run that is INVALID."""
    from fmbench.report.first_page.settling import settling_words

    if (summary.get("validity") or {}).get("verdict") == "INVALID":
        return []
    bucket = str(summary.get("bucket_of_interest"))
    verdict: Summary = next((found for found in summary.get("verdicts") or [] if found["bucket"] == bucket), {})
    names = short_names([row["model"] for row in verdict.get("models") or []])
    return [line.replace("**", "") for line in settling_words(verdict, lambda label: names.get(label, label))]


def validity_lines(summary: Summary) -> list[str]:
    """Nothing for a run that is PASS; else its verdict, and the findings that made it so."""
    validity = summary.get("validity") or {}
    if validity.get("verdict") == PASS:
        return []
    findings = [each for each in validity.get("findings") or [] if each["severity"] != "note"]
    shown = [f"  {each['subject']}: {each['message']}" for each in findings[:MOST_FINDINGS]]
    more = [f"  … and {len(findings) - MOST_FINDINGS} more in the report"] if len(findings) > MOST_FINDINGS else []
    return [f"Validity: {validity.get('verdict')}", *shown, *more]


def report_lines(address: str) -> list[str]:
    """Where the report is: a line a file, since a terminal would break one line in the middle of a path."""
    return [f"Report: {address}/report.html", f"        {address}/report.md"]


def show(table: Table) -> None:
    """The table on stderr: a line a model where the terminal is wide enough, else the same figures in words."""
    terminal = sys.stderr.isatty()
    console = Console(file=sys.stderr, width=None if terminal else UNBOUNDED, no_color="NO_COLOR" in os.environ, highlight=False)
    if console.measure(table, options=console.options.update(max_width=UNBOUNDED)).maximum <= console.width:
        console.print(table)
    else:
        print(narrow(table, console.width), file=sys.stderr, flush=True)


def narrow(table: Table, width: int) -> str:
    """The rows of ``table`` as words that fit ``width`` columns, each figure with its name."""
    titles = [str(column.header) for column in table.columns]
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    lines = [str(table.title)]
    for row in zip(*columns, strict=True):
        lines.append(fitted([f"{row[0]}: {row[-1]}", *_named(titles[1:-1], row[1:-1])], width))
    return "\n".join(lines)


def _named(titles: Sequence[str], row: Sequence[str]) -> list[str]:
    """``TTFT p50 0.2 s``; a bare percentile belongs to the latency before it."""
    named, latency = [], ""
    for title, value in zip(titles, row, strict=True):
        latency = title.removesuffix("p50") if title.endswith(" p50") else latency
        named.append(f"{latency if title == 'p95' else ''}{title} {value}")
    return named

"""Routes to a model side by side: what each gives and costs against the first one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fmbench.report.blocks import Block, Points, Table, Text, table, text
from fmbench.report.numbers import count, interval, plain, seconds, share, usd
from fmbench.report.section import Material, Section
from fmbench.report.words import at_level

Difference = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """How a figure of two routes stands in the table: its title, its value, and a difference with its two ends."""

    title: str
    value: Callable[[float], str]
    gap: Callable[[float], str]
    ends: Callable[[float, float], str]


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{seconds(abs(value))}"


def _latency_column(title: str) -> Column:
    return Column(title, seconds, _signed, lambda low, high: f"({_signed(low)} to {_signed(high)})")


COLUMNS = {
    "ttft_p50_s": _latency_column("TTFT p50"),
    "ttft_p95_s": _latency_column("TTFT p95"),
    "e2e_p50_s": _latency_column("E2E p50"),
    "e2e_p95_s": _latency_column("E2E p95"),
    "usd": Column("$ / answer", usd, lambda times: f"× {plain(times)}", lambda low, high: interval((low, high), None, "")),
    "error_rate": Column(
        "Failed", share, lambda gap: f"{100 * gap:+.1f} points", lambda low, high: f"({100 * low:+.1f} to {100 * high:+.1f})"
    ),
}
LEAST_P = 0.0001


def blocks(material: Material) -> list[Block | None]:
    """A sentence for each pair of routes, and the table of all figures; none where no model has routes."""
    found: list[Difference] = material.study.summary.get("routes") or []
    if not found:
        return []
    pairs = [[*mine] for _, mine in groupby(found, key=_pair)]
    note = (
        "Requests with the same prompt in the same block are paired. Differences are called so when their p, corrected over all "
        "of them (Holm), is under 0.05; the intervals are of 95 % each."
    )
    return [Points(tuple(_sentence(pair) for pair in pairs)), Text(note), _table(found)]


def _pair(each: Difference) -> tuple[Any, ...]:
    return (each["model"], each["bucket"], each["concurrency"], each["rate_per_min"], each["route_a"], each["route_b"])


def _sentence(pair: list[Difference]) -> str:
    """``priority is 0.4 s (0.3–0.5) faster at p95 for 1.75 × the price``."""
    by_figure = {each["figure"]: each for each in pair}
    first = pair[0]
    where = f"{text(first['model'])}, {text(first['bucket'])}, {at_level(first)}"
    latency = by_figure.get("ttft_p95_s") or by_figure.get("ttft_p50_s")
    said = f"{where}: **{text(first['route_b'])}** against {text(first['route_a'])}: "
    said += "too few answers to tell the times to first token apart" if latency is None else _latency(latency)
    cost = by_figure.get("usd")
    return f"{said}{'' if cost is None else f' for {_times(cost)} the price'}."


def _latency(each: Difference) -> str:
    gap, (low, high) = each["difference"], each["ci95"]
    percent = each["figure"].split("_")[1]
    if not each["differs"]:
        return f"no difference of TTFT at {percent} is shown (95 % interval {_signed(low)} to {_signed(high)})"
    ends = sorted((abs(low), abs(high))) if low * high > 0 else [0.0, max(abs(low), abs(high))]
    word = "faster" if gap < 0 else "slower"
    return f"{seconds(abs(gap))} {interval(ends, abs(gap))} {word} to the first token at {percent}"


def _times(cost: Difference) -> str:
    return "the same as" if not cost["differs"] and abs(cost["difference"] - 1) < 1e-9 else f"{plain(cost['difference'])} ×"


def _table(found: list[Difference]) -> Table:
    rows = [_row(each) for each in found]
    titles = [
        "",
        "Bucket",
        "Level",
        "Route",
        "against",
        "Figure",
        "its value",
        "the other's",
        "Difference (95 %)",
        "p",
        "Differs",
    ]
    return table(titles, rows, left=(0, 1, 2, 3, 4, 5), caption=f"{count(len(found))} differences.")


def _row(each: Difference) -> list[str]:
    column, p = COLUMNS[each["figure"]], each["p_holm"]
    return [
        text(each["model"]),
        text(each["bucket"]),
        at_level(each),
        text(each["route_b"]),
        text(each["route_a"]),
        column.title,
        column.value(each["b"]),
        column.value(each["a"]),
        f"{column.gap(each['difference'])} {column.ends(*each['ci95'])}",
        f"< {LEAST_P:g}" if p < LEAST_P else f"{p:.2g}",
        "**yes**" if each["differs"] else "no",
    ]


SECTION = Section("Routes side by side", blocks)

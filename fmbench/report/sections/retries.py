"""What retries brought and what they cost: a sentence a cell that had any, and first attempt and whole request side by side."""

from __future__ import annotations

from typing import Any

from fmbench.report.blocks import Block, Text, table, text
from fmbench.report.numbers import count, interval, known, plain, seconds, share, usd
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.words import at_level, level_number

Row = dict[str, Any]
MEANING = (
    "Each attempt is a request of its own in the other sections. Here, and where objectives are judged, a request is all of its "
    "attempts: it is answered when the last one is, and its latency goes from when it was first wanted to the end of the last, "
    "waits included. "
    "Had nothing been tried again, the first attempts would have been all."
)
BY_MODE = {
    "ours": "Failures were tried again by this study's own rule.",
    "legacy": "boto3 in its legacy mode decided what was tried again, and when.",
    "standard": "boto3 in its standard mode decided what was tried again, and when.",
    "adaptive": "boto3 in its adaptive mode decided what was tried again, when, and how fast requests went out.",
}
PERCENTILES = ("p99", "p95", "p90", "p50")


def blocks(material: Material) -> list[Block | None]:
    """Shown where retries were asked for, or are there."""
    rows: list[Row] = material.study.summary.get("retries") or []
    if not rows:
        return []
    words = " ".join(part for part in (BY_MODE.get(rows[0]["mode"]), MEANING) if part)
    return [Text(words), *(Text(_said(material.study, row)) for row in rows if row["retried"]), _table(material.study, rows)]


def _said(study: Study, row: Row) -> str:
    """``retries turned 92.1 % into 99.7 % and cost 11 % more requests and 3.1 s at p99``."""
    first, whole = row["first"], row["whole"]
    turned = f"retries turned **{share(first['ok_share']['value'])}** answered into **{share(whole['ok_share']['value'])}**"
    costs = [f"{share(row['added_requests'])} more requests"]
    if known(row["added_usd"]) and row["added_usd"] > 0:
        costs.append(f"{share(row['added_usd'])} more dollars")
    if (added := _added(first["e2e_s"], whole["e2e_s"])) is not None:
        costs.append(f"{seconds(added[0])} at {added[1]} of the time to the end")
    said = ", ".join(costs[:-1]) + (" and " if costs[1:] else "") + costs[-1]
    return f"{text(study.short(row['model']))} at {at_level(row)}, {text(row['bucket'])}: {turned} and cost {said}."


def _added(first: Row, whole: Row) -> tuple[float, str] | None:
    """How much longer, at the highest percentile that both samples carry."""
    both = (name for name in PERCENTILES if known(first[name]) and known(whole[name]))
    return next(((whole[name] - first[name], name) for name in both), None)


def _table(study: Study, rows: list[Row]) -> Block:
    titles = ["", "Bucket", study.level_heading, "", "Requests", "Answered", "TTFT p95", "End to end p50", "p95", "p99", "Cost"]
    lines = []
    for row in rows:
        name = [text(study.short(row["model"])), text(row["bucket"]), level_number(row)]
        lines.append([*name, "first attempt", count(row["requests"]), *_side(row["first"])])
        lines.append(["", "", "", "whole", f"{count(row['attempts'])} attempts", *_side(row["whole"])])
        lines.append(["", "", "", "added", share(row["added_requests"]), *_difference(row)])
    return table(titles, lines, left=(0, 1, 3))


def _side(side: Row) -> list[str]:
    ok = side["ok_share"]
    answered = f"{share(ok['value'])} {interval(ok['ci95'], kind='%')}".rstrip()
    e2e = [seconds(side["e2e_s"][name]) for name in ("p50", "p95", "p99")]
    return [answered, seconds(side["ttft_s"]["p95"]), *e2e, usd(side["usd"])]


def _difference(row: Row) -> list[str]:
    first, whole = row["first"], row["whole"]
    points = _less(whole["ok_share"]["value"], first["ok_share"]["value"])
    ttft = seconds(_less(whole["ttft_s"]["p95"], first["ttft_s"]["p95"]))
    e2e = [seconds(_less(whole["e2e_s"][name], first["e2e_s"][name])) for name in ("p50", "p95", "p99")]
    return [plain(None if points is None else 100 * points, "points"), ttft, *e2e, share(row["added_usd"])]


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


SECTION = Section("Retries", blocks)

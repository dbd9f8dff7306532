"""The quotas that a search found: from how much a minute on requests are throttled, and how the quota works."""

from __future__ import annotations

from typing import Any

from fmbench.report.blocks import Block, Table, Text, table, text
from fmbench.report.numbers import DASH, count, known, plural
from fmbench.report.section import Material, Section
from fmbench.report.study import Study

Search = dict[str, Any]
STRAY = 0.01
"""So many requests may pass another on their way: they contradict nothing."""
WINDOWS = {"clock": "the clock's minute", "rolling": "the last 60 seconds", None: "not told"}
BY = {"requests": "too many requests", "tokens": "too many tokens", "daily": "too many tokens a day"}


def blocks(material: Material) -> list[Block | None]:
    """A sentence for each model, and what was found as a table; none where no quota was searched for."""
    study = material.study
    found: list[Search] = [each for each in study.summary.get("search") or [] if each["of"] == "quota" and each["quota"]]
    return [*(Text(_sentence(study, each)) for each in found), _table(study, found)] if found else []


def _sentence(study: Study, each: Search) -> str:
    quota = each["quota"]
    said = f"**{text(study.short(each['model']))}**: "
    onsets = [f"{_amount(quota[key])} {what} a minute" for key, what in _KEYS if quota[key]]
    if not onsets:
        said += f"nothing was throttled up to {count(round(quota['most_requests_per_min']))} requests and "
        said += f"{count(round(quota['most_tokens_per_min']))} tokens a minute."
    else:
        said += f"throttled from {' and '.join(onsets)} on."
        said += " `max_tokens` is reserved at admission." if quota["reserves_max_tokens"] else ""
        said += " `max_tokens` is not reserved." if quota["reserves_max_tokens"] is False else ""
        said += f" An output token takes {quota['burndown']:g} of the quota." if quota["burndown"] else ""
    said += " A daily quota throttled." if "daily" in quota["throttled_by"] else ""
    said += "" if each["finished"] else " The search was cut before its end."
    if quota["contradicted"] > max(2, STRAY * each["requests"]):
        of_all = f"{plural(quota['contradicted'], 'request')} of {count(each['requests'])}"
        said += f" {of_all} fit no such quota: others share it, or it works otherwise."
    return said


_KEYS = (("requests_per_min", "requests"), ("tokens_per_min", "tokens"))


def _amount(onset: dict[str, Any]) -> str:
    low, high = onset["ci95"]
    return f"{count(round(onset['per_minute']))} ({count(round(low))}–{count(round(high)) if known(high) else '∞'})"


def _table(study: Study, found: list[Search]) -> Table:
    rows = []
    for each in found:
        quota = each["quota"]
        onsets = [_amount(quota[key]) if quota[key] else DASH for key, _ in _KEYS]
        reserved = {True: "yes", False: "no", None: "not told"}[quota["reserves_max_tokens"]]
        burndown = f"{quota['burndown']:g}" if quota["burndown"] else "not told"
        by = ", ".join(BY[word] for word in quota["throttled_by"]) or DASH
        rows.append(
            [
                text(study.short(each["model"])),
                *onsets,
                by,
                reserved,
                burndown,
                WINDOWS[quota["window"]],
                count(each["requests"]),
                count(each["bursts"]),
            ]
        )
    titles = [
        "",
        "Requests / min",
        "Tokens / min",
        "Throttled by",
        "max_tokens reserved",
        "Burndown",
        "Window",
        "Requests sent",
        "Bursts",
    ]
    note = "In brackets: every size that no request contradicts. The service's own words tell what throttled."
    return table(titles, rows, left=(0, 3, 6), caption=note)


SECTION = Section("The quotas that were searched for", blocks)

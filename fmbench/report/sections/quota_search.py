"""The quotas that a search found: from how much a minute on requests are throttled, and how the quota works."""

from __future__ import annotations

from fmbench.report.blocks import Block, Table, Text, table, text
from fmbench.report.numbers import DASH, count
from fmbench.report.quota_words import KEYS, Search, amount, quota_sentences, searched
from fmbench.report.section import Material, Section
from fmbench.report.study import Study

WINDOWS = {"clock": "the clock's minute", "rolling": "the last 60 seconds", None: "not told"}
BY = {"requests": "too many requests", "tokens": "too many tokens", "daily": "too many tokens a day"}


def blocks(material: Material) -> list[Block | None]:
    """A sentence for each model, and what was found as a table; none where no quota was searched for."""
    study = material.study
    found = searched(study.summary)
    said = quota_sentences(study.summary, lambda label: f"**{text(study.short(label))}**")
    return [*map(Text, said), _table(study, found)] if found else []


def _table(study: Study, found: list[Search]) -> Table:
    rows = []
    for each in found:
        quota = each["quota"]
        onsets = [amount(quota[key]) if quota[key] else DASH for key, _ in KEYS]
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

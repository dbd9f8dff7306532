"""CloudWatch's figures of the run's minutes beside ours."""

from __future__ import annotations

from typing import Any

from fmbench.core.findings.cloudwatch import WORDS
from fmbench.report.blocks import Block, table, text
from fmbench.report.numbers import DASH, count, known, seconds
from fmbench.report.section import Material, Section


def blocks(material: Material) -> list[Block | None]:
    """A table, where CloudWatch was asked and answered."""
    found: list[dict[str, Any]] = material.study.summary.get("cloudwatch") or []
    rows = [
        [
            text(each["model"]),
            WORDS.get(each["figure"], "mean TTFT"),
            _value(each, each["ours"]),
            _value(each, each["theirs"]),
            {True: "**yes**", False: "no", None: DASH}[each["differs"]],
        ]
        for each in found
    ]
    note = (
        "Of all requests of the run, warm-up included, and of everybody's in the same minutes. — : no datapoint. Counts differ "
        "from 1 % on; a wait of ours may be longer by the way there and back."
    )
    titles = ["", "Figure", "The records", "CloudWatch", "Differ"]
    return [table(titles, rows, left=(0, 1), caption=note)] if rows else []


def _value(each: dict[str, Any], value: Any) -> str:
    if not known(value):
        return DASH
    return seconds(value) if each["figure"] == "ttft_s" else count(round(value))


SECTION = Section("The second witness: CloudWatch", blocks)

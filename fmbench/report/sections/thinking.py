"""Thinking for what it is: the first token and the first visible text side by side, and what reasoning takes and costs."""

from __future__ import annotations

from typing import Any

from fmbench.report.blocks import Block, Text, table, text
from fmbench.report.numbers import DASH, interval, known, plain, seconds, share, usd
from fmbench.report.section import Material, Section
from fmbench.report.study import Study
from fmbench.report.words import level_number

MEANING = (
    "A model that thinks sends reasoning before its text, or nothing until its text begins. A reader waits for the first "
    "visible text. Reasoning tokens are billed as output tokens. An answer that never came to text gave reasoning alone, or "
    "nothing: its tokens were used up before."
)
TITLES = (
    *("First token p50", "First visible text p50", "First token p95", "First visible text p95"),
    *("Reasoning tokens / answer", "$ / answer for them", "Never came to text"),
)
SAME = "the same"


def blocks(material: Material) -> list[Block | None]:
    """A row a cell in which anything was thought, or an answer has no text."""
    study = material.study
    found: list[dict[str, Any]] = study.summary.get("thinking") or []
    if not found:
        return []
    return [Text(MEANING), table(["", study.level_heading, *TITLES], [_row(study, each) for each in found])]


def _row(study: Study, each: dict[str, Any]) -> list[str]:
    name = f"{text(study.short(each['model']))}, {text(each['bucket'])}"
    times = [value for percent in ("p50", "p95") for value in _times(each, percent)]
    reasoning = [plain(each["reasoning_tokens_mean"]), usd(each["reasoning_usd_mean"])]
    textless = each["without_text"]
    never = f"{share(textless['value'])} {interval(textless['ci95'], None, '%')}".rstrip()
    return [name, level_number(each), *times, *reasoning, never]


def _times(each: dict[str, Any], percent: str) -> tuple[str, str]:
    """(first token, first visible text) of one percentile."""
    first, visible = each["ttft_s"].get(percent), each["ttft_text_s"].get(percent)
    if not known(first):
        return DASH, seconds(visible)
    return seconds(first), seconds(visible) if each["differ"] or not known(visible) else SAME


SECTION = Section("Thinking", blocks)

"""Output lengths side by side, and the latency that each model would have at one common length."""

from __future__ import annotations

import numpy as np

from fmbench.core.records import ended_at_max_tokens
from fmbench.report.blocks import Block, Table, table, text
from fmbench.report.numbers import (
    DASH,
    count,
    known,
    plain,
    seconds,
    share,
)
from fmbench.report.section import Material, Section
from fmbench.report.study import Cell, Study
from fmbench.report.words import level_words


def blocks(material: Material) -> list[Block | None]:
    """Output lengths side by side, and the latency that each model would have at one common length."""

    buckets = material.study.buckets
    return [*material.pictures_of("lengths"), _lengths(material.study, buckets[0]) if buckets else None]


def _lengths(study: Study, bucket: str) -> Table | None:
    """Output lengths side by side at one level, and the latency that each model would have at one common length."""
    level = study.level_shown
    there = [cell for model in study.models if (cell := study.cell(model, bucket, level)) is not None]
    found = [cell for cell in there if known(cell.get("output_tokens_mean"))]
    if not found:
        return None
    common = float(np.median([cell["output_tokens_mean"] for cell in found]))
    rows = [_length_row(study, cell, common) for cell in found]
    titles = ["", "Mean output tokens", "Ended at max_tokens", "End to end mean", f"End to end at {plain(common)} tokens", "Line"]
    place = f"{text(bucket)} at {level_words(study, level)}"
    caption = f"{place}. The column at one length is read off each model's own least-squares line."
    return table(titles, rows, caption=caption)


def _length_row(study: Study, cell: Cell, common: float) -> list[str]:
    line = cell.get("e2e_by_output_tokens") or {}
    stops = cell.get("stop_reasons") or {}
    cut = share(ended_at_max_tokens(stops) / cell["ok"]) if cell.get("ok") else DASH
    at, words = f"{DASH} (lengths do not vary)", DASH
    if line:
        at = seconds(line["fixed_s"] + line["per_token_s"] * common)
        words = f"{seconds(line['fixed_s'])} + {seconds(line['per_token_s'])} a token (n = {count(line['n'])})"
    name, mean = text(study.short(cell["model"])), seconds(cell["e2e_s"].get("mean"))
    return [name, plain(cell["output_tokens_mean"]), cut, mean, at, words]


SECTION = Section("Output lengths", blocks)

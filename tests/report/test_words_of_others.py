"""Names of buckets and models that are markup or escapes: in no place of a page, in Markdown or HTML, more than text."""

from __future__ import annotations

import pytest

from fmbench.report.blocks import Figure, Fold, Notice, Page, Points, Section, Text, code, table, text
from fmbench.report.picture import Axis, Panel, Picture
from fmbench.report.render import html, markdown

NAME = "en<img src=x onerror=alert(1)>\x1b[31m\u202e&`"


@pytest.mark.parametrize("write", [markdown, html])
def test_no_place_of_a_page_obeys_them(write) -> None:  # type: ignore[no-untyped-def]
    panel = Panel(title=NAME, x=Axis(label=""), y=Axis(label=""), marks=(), note=NAME)
    picture = Picture(title=NAME, sentence=NAME, panels=(panel,), caption=NAME)
    foreign = text(NAME)
    blocks = (
        Text(foreign),
        Points((foreign,)),
        table((foreign,), ((code(NAME),), (foreign,)), caption=foreign),
        Notice("note", foreign, (foreign,)),
        Fold(NAME, (Text(foreign),)),
        Figure("picture", picture),
    )
    page = write(Page(foreign, foreign, blocks, (Section("Cells", "cells", blocks),)))
    shown = page.partition("<script")[0]
    assert "\x1b" not in shown and "\u202e" not in shown
    outside = "".join(line for line in shown.splitlines() if "`" not in line or "&lt;img" in line) if write is markdown else shown
    assert "<img src=x" not in outside
    assert outside.count("&lt;img src=x") >= 10

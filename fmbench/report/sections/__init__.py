"""The sections of the report, one file each: its sentence, its table and the pictures that charts draw for it.

A new section is a file here with a ``SECTION``; its file's name is its place on the page (``#cells``) and what charts name.
"""

from __future__ import annotations

from fmbench.core.registry import entry, names_in
from fmbench.report.section import Section

_FOLDER = "report/sections"
_ORDER = (
    "limits",
    "quota-search",
    "routes",
    "open-loop",
    "buckets",
    "users",
    "throughput",
    "distributions",
    "lengths",
    "thinking",
    "cells",
    "timeline",
    "failures",
    "retries",
    "bill",
    "month",
    "quota",
    "cloudwatch",
    "models",
    "prompts",
    "definitions",
    "configuration",
    "again",
    "missing",
)
"""The order of the page; a section that is not named here comes last."""


def _in_order() -> dict[str, Section]:
    names = sorted(names_in(_FOLDER), key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return {name: entry(_FOLDER, name).SECTION for name in names}


SECTIONS = _in_order()
"""Every section by its place on the page."""

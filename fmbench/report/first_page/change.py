"""What would change the answer."""

from __future__ import annotations

from fmbench.report.blocks import Block, Points, Text
from fmbench.report.first_page.answer import reach_of
from fmbench.report.study import Study
from fmbench.report.words import told


def change(study: Study) -> list[Block]:
    """What would change the answer, as points; nothing when nothing is known to."""
    verdict = study.verdict or {}
    said = reach_of(verdict) if verdict.get("recommendation") else []
    notes = [told(study, note) for note in verdict.get("what_would_change") or [] if note not in said]
    return [Text("**What would change the answer**"), Points(tuple(notes))] if notes else []

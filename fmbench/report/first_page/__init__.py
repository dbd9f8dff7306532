"""The first page: the answer, whether it can be trusted, the table, what would change it, and the price against the latency."""

from __future__ import annotations

from fmbench.report.blocks import Block, Text
from fmbench.report.first_page.answer import answer
from fmbench.report.first_page.change import change
from fmbench.report.first_page.decision import decision
from fmbench.report.first_page.head import identity, title
from fmbench.report.first_page.prompts import these_prompts
from fmbench.report.first_page.settling import settling
from fmbench.report.first_page.trust import is_invalid, trust
from fmbench.report.section import Material

__all__ = ["first_page", "identity", "title"]


def first_page(material: Material) -> list[Block]:
    """The blocks above the sections; what nobody should act on comes behind the warning."""
    study = material.study
    said, trusted = [Text(answer(study))], trust(study)
    lead = [*trusted, *said] if is_invalid(study) else [*said, settling(study), *trusted]
    blocks = [*lead, decision(study), these_prompts(study), *change(study), *material.pictures_of("first")]
    return [block for block in blocks if block is not None]

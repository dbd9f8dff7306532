"""The whole report: the first page, then every section that has something to show."""

from __future__ import annotations

from fmbench.report import blocks
from fmbench.report.first_page import first_page, identity, title
from fmbench.report.section import Material
from fmbench.report.sections import SECTIONS

MOST_ROWS = 16
"""Rows of a table that is shown open."""
LONGEST_NAME = 60
"""Letters of a caption that names a closed table; a longer one stays below it, and the section's title names the table."""


def page(material: Material) -> blocks.Page:
    """The page of a study and its pictures."""
    sections = (_set(anchor, material) for anchor in SECTIONS)
    shown = tuple(section for section in sections if section.blocks)
    return blocks.Page(title(material.study), identity(material.study), tuple(first_page(material)), shown)


def _set(anchor: str, material: Material) -> blocks.Section:
    section = SECTIONS[anchor]
    placed = section.blocks(material)
    found = [block for block in (*placed, *_not_placed(material.pictures_of(anchor), placed)) if block is not None]
    named = section.titled(material.study)
    return blocks.Section(named, anchor, tuple(_closed(block, named) for block in found))


def _closed(block: blocks.Block, title: str) -> blocks.Block:
    """A long table opens on a click."""
    if isinstance(block, blocks.Table) and len(block.rows) > MOST_ROWS:
        named = block.caption.removesuffix(".") if 0 < len(block.caption) <= LONGEST_NAME else title
        return blocks.Fold(f"{named}: {len(block.rows)} rows", (block,))
    return block


def _not_placed(pictures: list[blocks.Block | None], placed: list[blocks.Block | None]) -> list[blocks.Block | None]:
    """Pictures that the section itself found no place for: whatever was drawn is shown."""
    return [picture for picture in pictures if picture not in placed]

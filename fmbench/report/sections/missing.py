"""Charts that could not be drawn, with the reason."""

from __future__ import annotations

from fmbench.report.blocks import Block, Text, code, text
from fmbench.report.section import Material, Section


def blocks(material: Material) -> list[Block | None]:
    """Charts that could not be drawn, with the reason."""

    return [Text(f"{code(name)}: {text(why)}") for name, why in sorted(material.missing.items())]


SECTION = Section("Not drawn", blocks)

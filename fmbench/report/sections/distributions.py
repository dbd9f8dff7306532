"""How latencies are spread: pictures alone."""

from __future__ import annotations

from fmbench.report.blocks import Block
from fmbench.report.section import Material, Section


def blocks(material: Material) -> list[Block | None]:
    """How latencies are spread: pictures alone."""

    return material.pictures_of("distributions")


SECTION = Section("How latencies are spread", blocks)

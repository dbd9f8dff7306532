"""Latency against users: pictures alone."""

from __future__ import annotations

from fmbench.report.blocks import Block
from fmbench.report.section import Material, Section


def blocks(material: Material) -> list[Block | None]:
    """Latency against users: pictures alone."""

    return material.pictures_of("users")


SECTION = Section("Latency against {levels}", blocks)

"""Throughput and goodput against users: pictures alone."""

from __future__ import annotations

from fmbench.report.blocks import Block
from fmbench.report.section import Material, Section


def blocks(material: Material) -> list[Block | None]:
    """Throughput and goodput against users: pictures alone."""

    return material.pictures_of("throughput")


SECTION = Section("Throughput and goodput against {levels}", blocks)

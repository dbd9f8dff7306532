"""Short names beside whole labels and ids."""

from __future__ import annotations

from fmbench.report.blocks import Block, Table, code, table, text
from fmbench.report.numbers import (
    DASH,
)
from fmbench.report.section import Material, Section
from fmbench.report.study import Study


def blocks(material: Material) -> list[Block | None]:
    """Short names beside whole labels and ids."""

    return [_models(material.study), *material.pictures_of("models")]


def _models(study: Study) -> Table | None:
    """Short names beside whole labels and ids; None when every name is whole and is the id."""
    asked = {model.get("label") or model["id"]: model for model in study.config.get("models") or []}
    rows = []
    for label in study.models:
        model = asked.get(label) or {}
        whole = "same" if study.short(label) == label else text(label)
        rows.append([text(study.short(label)), whole, code(model.get("id") or label), text(model.get("api") or DASH)])
    return table(["Name here", "Label", "Id", "API"], rows, left=(0, 1, 2, 3)) if rows else None


SECTION = Section("Models", blocks)

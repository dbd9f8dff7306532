"""The bodies of InvokeModel by model family, a file each, found from the folder."""

from __future__ import annotations

from functools import cache

from fmbench.core.registry import entry, names_in
from fmbench.simulator.asks import Json
from fmbench.simulator.families.base import Family

_FOLDER = "simulator/families"


@cache
def every_family() -> tuple[Family, ...]:
    """Every entry of the folder."""
    return tuple(entry(_FOLDER, name).FAMILY for name in names_in(_FOLDER))


def family_of(model_id: str, body: Json) -> Family:
    """The family whose shape ``body`` has, or that ``model_id`` names; else Mistral's with a prompt, and chat's without."""
    for family in every_family():
        if family.member is not None and family.member in body:
            return family
    for family in every_family():
        if family.mark is not None and family.mark in model_id:
            return family
    other: Family = entry(_FOLDER, "mistral" if "prompt" in body else "chat").FAMILY
    return other

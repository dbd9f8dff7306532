"""Body families of InvokeModel, a file each: how each maker's models are asked, and how they answer."""

from __future__ import annotations

from fmbench.bedrock.families.base import Family
from fmbench.core.failures import UnusableInput
from fmbench.core.registry import entry, names_in

_FOLDER = "bedrock/families"


def family_named(name: str) -> Family:
    """The family whose file is called ``name``."""
    family: Family = entry(_FOLDER, name).FAMILY
    return family


def exact_family(model_id: str) -> str | None:
    """The name of the family that says all of how the model is asked, by its id; None: the id does not tell."""
    family = next((each for each in map(family_named, names_in(_FOLDER)) if each.is_of(model_id)), None)
    if family is None:
        return None
    return family.markup_of(model_id) if family.markups else family.name


def family_of(model_id: str, named: str | None) -> Family:
    """The family that a model's body belongs to: the one named, else read from the id. Raises ``UnusableInput``."""
    if named is not None:
        return family_named(named)
    for family in map(family_named, names_in(_FOLDER)):
        if family.is_of(model_id):
            return family
    raise UnusableInput(
        f"models: the id {model_id!r} does not say which body InvokeModel takes. "
        f"Write family: {' | '.join(names_in(_FOLDER))} beside it, or use api: converse-stream, which needs none."
    )

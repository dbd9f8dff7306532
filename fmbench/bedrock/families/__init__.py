"""Body families of InvokeModel: how each maker's models are asked, and how they answer."""

from __future__ import annotations

from fmbench.bedrock.families import ai21, anthropic, cohere, llama, mistral, nova, titan
from fmbench.bedrock.families.base import Family
from fmbench.core.failures import UnusableInput

FAMILIES: dict[str, Family] = {
    "anthropic": anthropic.FAMILY,
    "nova": nova.FAMILY,
    "llama": llama.FAMILY,
    "mistral": mistral.FAMILY,
    "titan": titan.FAMILY,
    "cohere": cohere.FAMILY,
    "ai21": ai21.FAMILY,
}

_MARKS = {
    "anthropic.": "anthropic",
    "amazon.nova": "nova",
    "meta.llama": "llama",
    "mistral.": "mistral",
    "amazon.titan": "titan",
    "cohere.": "cohere",
    "ai21.": "ai21",
}


def family_of(model_id: str, named: str | None) -> Family:
    """The family that a model's body belongs to: the one named, else read from the id. Raises ``UnusableInput``."""
    if named is not None:
        return FAMILIES[named]
    for mark, name in _MARKS.items():
        if mark in model_id.lower():
            return FAMILIES[name]
    raise UnusableInput(
        f"models: the id {model_id!r} does not say which body InvokeModel takes. "
        f"Write family: {' | '.join(FAMILIES)} beside it, or use api: converse-stream, which needs none."
    )

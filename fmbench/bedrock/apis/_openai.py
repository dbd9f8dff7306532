"""Where the services have OpenAI's two APIs."""

from __future__ import annotations

from fmbench.config.schema import Model
from fmbench.core.model_facts import facts_of


def path(model: Model, end: str) -> str:
    """The path of an API: ``/openai/v1/…``, or ``/v1/…`` for those models that bedrock-mantle has there."""
    at_mantle = model.endpoint == "mantle" and not facts_of(model.id).openai_prefix
    return f"/v1/{end}" if at_mantle else f"/openai/v1/{end}"

"""What is known of the models of a configuration that may spoil its requests: advice, for the service has the last word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fmbench.config.schema import Config, Inference, Model
from fmbench.core.model_facts import AS_OF, default_max_tokens, facts_of, makes_text, wants_profile


def advice(config: Config) -> Iterator[str]:
    """Parameters that models are known to turn down, and why ``max_tokens`` is more than usual where nothing was said."""
    for model in config.models:
        asked = model.asked(config.inference)
        if not makes_text(model.id):
            yield f"{model.name}: by its id this model makes no text (embeddings, images, speech): it will refuse every request."
        if model.endpoint == "runtime" and wants_profile(model.id):
            yield (
                f"{model.name}: bedrock-runtime is known to serve this model only through a cross-Region inference profile "
                f"(as of {AS_OF}). Write its prefix before the id: us.{model.id}, global.{model.id}, or that of your geography."
            )
        for name in facts_of(model.id).turns_down:
            if _given(asked, name):
                yield (
                    f"{model.name}: inference.{_spelt(name)} is known to be turned down by this model with HTTP 400 "
                    f"(as of {AS_OF}). Leave it out{_or_null(model, name)}."
                )
        yield from _default(config, model, asked)


def _default(config: Config, model: Model, asked: Inference) -> Iterator[str]:
    said = model.inference.max_tokens if "max_tokens" in model.inference.model_fields_set else config.inference.max_tokens
    tokens, why = default_max_tokens(model.id, asked.thinking, asked.effort)
    if said is None and why is not None:
        yield f"{model.name}: max_tokens is {tokens}, as nothing was said: {why}."


def _given(asked: Inference, name: str) -> bool:
    """Whether requests carry what a model turns down."""
    if name == "thinking: budget":
        return isinstance(asked.thinking, int)
    if name == "thinking: off":
        return asked.thinking == "off" or asked.effort == "none"
    value: Any = getattr(asked, name, (asked.additional_model_request_fields or {}).get(name))
    return value is not None


def _spelt(name: str) -> str:
    return {"thinking: budget": "thinking (a budget)", "thinking: off": "thinking (off)"}.get(name, name)


def _or_null(model: Model, name: str) -> str:
    """The cure for a common parameter that one model alone turns down."""
    common = ":" not in name and hasattr(model.inference, name) and name not in model.inference.model_fields_set
    return f", or take it away from this model with inference: {{{name}: null}}" if common else ""

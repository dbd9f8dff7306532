"""What is known of the models of a configuration that may spoil its requests: advice, for the service has the last word."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.config.model_ids import about_id, prefix_in
from fmbench.config.schema import Config, Inference, Model
from fmbench.core.model_facts import AS_OF, default_max_tokens, facts_of, makes_text, wants_profile
from fmbench.core.turned_down import Asks, TurnedDown, turned_down


def advice(config: Config) -> Iterator[str]:
    """Parameters that models are known to turn down, and why ``max_tokens`` is more than usual where nothing was said."""
    for model in config.models:
        asked = model.asked(config.inference)
        if not makes_text(model.id):
            yield f"{model.name}: by its id this model makes no text (embeddings, images, speech): it will refuse every request."
        if model.endpoint == "runtime" and wants_profile(model.id):
            own = prefix_in(model.region or config.region) or "us."
            yield (
                f"{model.name}: bedrock-runtime is known to serve this model only through a cross-Region inference profile "
                f"(as of {AS_OF}). Write its prefix before the id: {own}{model.id}, global.{model.id}, or that of your geography."
            )
        if config.simulator is None:
            yield from (f"{model.name}: {said}" for said in about_id(model.id, model.region or config.region))
        for found in turned_down(facts_of(model.id), _asks(model, asked)):
            why = f" {found.why}" if found.why else ""
            yield (
                f"{model.name}: inference.{_spelt(found.name)} is known to be turned down by this model with HTTP 400{why} "
                f"(as of {AS_OF}). {_cure(model, found)}."
            )
        yield from _silent(model, asked)
        yield from _points(config, model)
        yield from _default(config, model, asked)


def _cure(model: Model, found: TurnedDown) -> str:
    if found.name == "effort" and found.why:
        return "Write another, or leave it out"
    return f"Leave it out{_or_null(model, found.name)}"


def _silent(model: Model, asked: Inference) -> Iterator[str]:
    """Requests that are taken, and do not do what was meant."""
    facts = facts_of(model.id)
    if facts.thinks_at is not None and asked.effort not in (None, "none", facts.thinks_at):
        yield (
            f"{model.name}: inference.effort: {asked.effort} is not known to make this model think (as of {AS_OF}): "
            f"{facts.thinks_at} alone does."
        )
    if asked.max_tokens is not None and asked.max_tokens < facts.least_max_tokens:
        yield (
            f"{model.name}: inference.max_tokens: {asked.max_tokens}: this model is known to turn down fewer than "
            f"{facts.least_max_tokens} (as of {AS_OF}), and thinking counts. Ask for more."
        )


def _points(config: Config, model: Model) -> Iterator[str]:
    """Cache points that a model is known not to take, or not for so long."""
    points, lifetimes = config.cache_points(model), facts_of(model.id).lifetimes
    if points is None or lifetimes is None or points.ttl in lifetimes:
        return
    if lifetimes:
        yield f"{model.name}: cache.ttl: {points.ttl}: this model is known to keep prompts {lifetimes[0]} alone (as of {AS_OF})."
    else:
        yield (
            f"{model.name}: cache.points: this model is known to take none (as of {AS_OF}): requests with them are refused. "
            "Use cache: allow where it caches unasked, or leave the model out."
        )


def _default(config: Config, model: Model, asked: Inference) -> Iterator[str]:
    said = model.inference.max_tokens if "max_tokens" in model.inference.model_fields_set else config.inference.max_tokens
    tokens, why = default_max_tokens(model.id, asked.thinking, asked.effort)
    if said is None and why is not None:
        yield f"{model.name}: max_tokens is {tokens}, as nothing was said: {why}."


def _asks(model: Model, asked: Inference) -> Asks:
    """What a request of the model asks for."""
    more = asked.additional_model_request_fields or {}
    given = {name for name in (*Inference.model_fields, *more) if getattr(asked, name, more.get(name)) is not None}
    if isinstance(asked.thinking, int):
        given.add("thinking: budget")
    if asked.thinking == "off" or asked.effort == "none":
        given.add("thinking: off")
    kind = model.api.removesuffix("-stream").removesuffix("-whole")
    return Asks(given=frozenset(given), effort=asked.effort, api=kind)


def _spelt(name: str) -> str:
    return {"thinking: budget": "thinking (a budget)", "thinking: off": "thinking (off)"}.get(name, name)


def _or_null(model: Model, name: str) -> str:
    """The cure for a common parameter that one model alone turns down."""
    common = ":" not in name and hasattr(model.inference, name) and name not in model.inference.model_fields_set
    return f", or take it away from this model with inference: {{{name}: null}}" if common else ""

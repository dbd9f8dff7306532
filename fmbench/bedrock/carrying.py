"""Whether an API of a service can carry a model; what cannot be is said before anything is sent, with the API that can."""

from __future__ import annotations

from fmbench.config.schema import Model
from fmbench.core.failures import UnusableInput
from fmbench.core.model_facts import AS_OF, Facts, facts_of, geo_of

_API_OF_KIND = {
    "converse": "converse-stream",
    "invoke": "invoke-stream",
    "messages": "messages",
    "responses": "responses",
    "chat": "chat",
}
BOTO3_KINDS = ("converse", "invoke")
"""Kinds that boto3 has operations for: bedrock-runtime alone serves them."""


def kind_of(api: str) -> str:
    """The kind that an API is of: its streamed and its whole form are served alike."""
    return api.removesuffix("-stream").removesuffix("-whole")


def check_carried(model: Model) -> None:
    """Raises ``UnusableInput`` for a model that its API and service are known not to carry; an unknown kind of API may."""
    facts, kind = facts_of(model.id), kind_of(model.api)
    if kind not in _API_OF_KIND:
        return
    if model.endpoint == "mantle" and kind in BOTO3_KINDS:
        raise UnusableInput(f"models: {model.id}: bedrock-mantle has no api {model.api}. {_cure(facts, model)}")
    served = facts.runtime if model.endpoint == "runtime" else facts.mantle
    if kind not in served and not (kind in BOTO3_KINDS and model.id.startswith("arn:")):
        raise UnusableInput(
            f"models: {model.id}: bedrock-{model.endpoint} does not carry this model by api {model.api} "
            f"(as of {AS_OF}). {_cure(facts, model)}"
        )
    if model.endpoint == "mantle" and (model.id.startswith("arn:") or geo_of(model.id)):
        bare = model.id.removeprefix(geo_of(model.id))
        raise UnusableInput(
            f"models: {model.id}: bedrock-mantle takes no ARN and no cross-Region prefix. "
            f"Write id: {bare}, or use endpoint: runtime."
        )


def _cure(facts: Facts, model: Model) -> str:
    """The APIs that do carry it."""
    here, there = (facts.runtime, facts.mantle) if model.endpoint == "runtime" else (facts.mantle, facts.runtime)
    other = "mantle" if model.endpoint == "runtime" else "runtime"
    ways = [_API_OF_KIND[kind] for kind in here if model.endpoint == "runtime" or kind not in BOTO3_KINDS]
    ways += [f"{_API_OF_KIND[kind]} with endpoint: {other}" for kind in there if other == "runtime" or kind not in BOTO3_KINDS]
    return f"Use api: {', or '.join(ways)}." if ways else "No API is known that does."

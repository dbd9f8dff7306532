"""What may be said about a model: its parameters, its prompt caching, and the routes to it that are measured side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, Field, model_validator

from fmbench.config.base import PRINTABLE, Strict, distinct, one_of
from fmbench.config.objectives import Share
from fmbench.core.model_facts import default_max_tokens
from fmbench.core.registry import names_in

Api = Annotated[str, one_of(names_in("bedrock/apis"))]
Family = Annotated[str, one_of(names_in("bedrock/families"))]
MOST_TOKENS = 10_000_000
MODEL_ID = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"


class Inference(Strict):
    """Inference parameters, passed through as given; one that is left out is not sent (but ``max_tokens`` always is)."""

    max_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    temperature: Share | None = None
    top_p: Share | None = None
    stop_sequences: Annotated[list[str], Field(max_length=2500)] | None = None
    system: str | None = None
    effort: Annotated[str, Field(min_length=1, max_length=16)] | None = None
    """How hard the model is to think: low, medium, high, or what else it knows."""
    thinking: Literal["on", "off"] | Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Whether the model is to think before it answers, or with how many tokens at most; None: as it does unasked."""
    additional_model_request_fields: dict[str, Any] | None = Field(
        default=None,
        validation_alias=AliasChoices("additional_model_request_fields", "additionalModelRequestFields"),
    )
    performance_config: dict[str, Any] | None = Field(
        default=None, validation_alias=AliasChoices("performance_config", "performanceConfig")
    )
    service_tier: dict[str, Any] | None = Field(default=None, validation_alias=AliasChoices("service_tier", "serviceTier"))
    guardrail: dict[str, Any] | None = Field(
        default=None, validation_alias=AliasChoices("guardrail", "guardrail_config", "guardrailConfig")
    )


class CachePoints(Strict):
    """Prompt caching on purpose: where prompts are to be cached, for how long, and which of three things is measured."""

    points: Annotated[list[Literal["system", "context"]], Field(min_length=1), AfterValidator(distinct)] = Field(
        default=["context"]
    )
    ttl: Literal["5m", "1h"] = "5m"
    mode: Literal["cold", "write", "hit"] = "hit"
    """``cold``: no prompt is in a cache, and none is put there; ``write``: each is put there; ``hit``: each is there already."""

    @property
    def placed(self) -> bool:
        """Whether requests set the points."""
        return self.mode != "cold"


LABEL = r"^[^|\s\x00-\x1f](?:[^|\x00-\x1f]*[^|\s\x00-\x1f])?$"

Caching = Literal["salt", "allow"] | CachePoints


class Route(Strict):
    """One way to a model, measured beside its others: what is left out is as the model has it."""

    label: Annotated[str, Field(max_length=40, pattern=LABEL), PRINTABLE] | None = None
    """None: what is different about it."""
    id: Annotated[str, Field(max_length=2048, pattern=MODEL_ID)] | None = None
    """The id of another scope: a model's own, or a profile's."""
    region: str | None = None
    service_tier: Literal["default", "priority", "flex", "reserved"] | None = None
    performance_config: Literal["standard", "optimized"] | None = None
    """The latency mode."""
    cache: Literal["none", "5m", "1h"] | None = None
    """Prompts kept out of caches, or read from one where they are kept for so long."""
    effort: Annotated[str, Field(min_length=1, max_length=16)] | None = None
    api: Api | None = None

    @property
    def name(self) -> str:
        """What records and reports call it."""
        return self.label or ", ".join(self._differences()) or "as it is"

    def _differences(self) -> Iterator[str]:
        yield from (value for value in (self.id, self.region, self.service_tier) if value is not None)
        if self.performance_config is not None:
            yield f"{self.performance_config} latency"
        if self.cache is not None:
            yield "no cache" if self.cache == "none" else f"cache {self.cache}"
        if self.effort is not None:
            yield f"effort {self.effort}"
        if self.api is not None:
            yield self.api


class Model(Strict):
    """A model to measure: any id that Bedrock takes (model, inference profile, provisioned, imported, custom, ARN)."""

    id: str = Field(max_length=2048, pattern=MODEL_ID)
    label: Annotated[str, Field(max_length=130, pattern=LABEL), PRINTABLE] | None = None
    api: Api = "converse-stream"
    family: Family | None = None
    """The body's shape for ``invoke`` and ``invoke-stream``; None: read from the id."""
    endpoint: Literal["runtime", "mantle"] = "runtime"
    """Which of Bedrock's two services is asked: bedrock-runtime or bedrock-mantle."""
    region: str | None = None
    inference: Inference = Inference()
    """Goes over the common parameters key by key; a key that is null takes the common one away."""
    cache: Caching | None = None
    """Over the study's ``cache``."""
    routes: Annotated[list[Route], Field(min_length=2, max_length=100)] | None = None
    """Ways to the model that are measured side by side, each as a model of its own."""
    route: str | None = None
    """Which of them this is; the program fills it in."""
    route_of: str | None = None
    """The model that it is a way to."""

    def asked(self, common: Inference) -> Inference:
        """What requests to this model carry; ``max_tokens`` always has a value."""
        own = {name: getattr(self.inference, name) for name in self.inference.model_fields_set}
        merged = common.model_copy(update=own)
        if merged.max_tokens is not None:
            return merged
        tokens, _reason = default_max_tokens(self.id, merged.thinking, merged.effort)
        return merged.model_copy(update={"max_tokens": tokens})

    @property
    def name(self) -> str:
        """What records and reports call it: the label, else the id."""
        return self.label or self.id

    @property
    def names(self) -> tuple[str, ...]:
        """What the configuration may call it elsewhere, the closest first: its own name, that of the model whose route it is,
        its id."""
        return (self.name, *([] if self.route_of is None else [self.route_of]), self.id)

    @model_validator(mode="after")
    def _routes_told_apart(self) -> Model:
        names = [route.name for route in self.routes or []]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'has two routes called "{name}": give each a label of its own')
        return self


def places_of(models: Sequence[Model]) -> list[tuple[str | int, ...]]:
    """Where each of ``models``, their routes taken apart, stands in what the user wrote."""
    places: list[tuple[str | int, ...]] = []
    number, nth, before = -1, 0, None
    for model in models:
        nth = nth + 1 if model.route_of is not None and model.route_of == before else 0
        number += not nth
        before = model.route_of
        places.append(("models", number) if model.route is None else ("models", number, "routes", nth))
    return places


def with_routes(models: Sequence[Model]) -> list[Model]:
    """``models``, each route of one as a model of its own."""
    return [each for model in models for each in ([_arm(model, route) for route in model.routes] if model.routes else [model])]


def _arm(model: Model, route: Route) -> Model:
    """The model by one of its routes."""
    over: dict[str, Any] = {name: value for name in ("id", "region", "api") if (value := getattr(route, name)) is not None}
    if route.cache is not None:
        over["cache"] = CachePoints(mode="cold") if route.cache == "none" else CachePoints(ttl=route.cache)
    label = f"{model.name} ({route.name})"
    inference = model.inference.model_copy(update=_asked(route))
    return model.model_copy(
        update={**over, "label": label, "inference": inference, "routes": None, "route": route.name, "route_of": model.name}
    )


def _asked(route: Route) -> dict[str, Any]:
    """The parameters of requests that a route sets."""
    asked: dict[str, Any] = {}
    if route.service_tier is not None:
        asked["service_tier"] = {"type": route.service_tier}
    if route.performance_config is not None:
        asked["performance_config"] = {"latency": route.performance_config}
    return asked | ({} if route.effort is None else {"effort": route.effort})

"""The four ways to ask a model: what is sent, and how the answer is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fmbench.bedrock.answers import Answer
from fmbench.bedrock.apis import converse, converse_stream, invoke, invoke_stream
from fmbench.bedrock.families import family_of
from fmbench.config.schema import Inference, Model
from fmbench.core.records import Exchange


@dataclass(slots=True, frozen=True)
class Api:
    """One operation of bedrock-runtime for one model."""

    operation: str
    parameters: Callable[[Model, str, Inference], dict[str, Any]]
    answer: Callable[[Exchange, bool], Answer]


def api_of(model: Model) -> Api:
    """The API that the model's configuration names. Raises ``UnusableInput`` when its body family is not known."""
    if model.api == "converse-stream":
        return Api(converse_stream.OPERATION, converse_stream.parameters, converse_stream.ANSWER)
    if model.api == "converse":
        return Api(converse.OPERATION, converse.parameters, converse.ANSWER)
    family = family_of(model.id, model.family)
    if model.api == "invoke":
        return Api(invoke.OPERATION, invoke.parameters, lambda exchange, keep: invoke.InvokeAnswer(exchange, keep, family))
    return Api(
        invoke_stream.OPERATION,
        invoke_stream.parameters,
        lambda exchange, keep: invoke_stream.InvokeStreamAnswer(exchange, keep, family),
    )

"""What an API has to say for itself: how a request is made, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fmbench.bedrock.answers import Answer
from fmbench.bedrock.cache_points import Asking
from fmbench.bedrock.client import Serialised, Serialiser
from fmbench.config.schema import Model
from fmbench.core.records import Exchange

Json = dict[str, Any]
AnswerMaker = Callable[[Exchange, bool], Answer]
"""(exchange to fill, whether the text is kept) → what reads one answer."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Api:
    """One way to ask a model: an entry of this folder is a module with one of these as ``API``."""

    serialise: Callable[[Serialiser, Model, Asking], Serialised]
    """(the client's serialiser, model, text and parameters) → the request, unsigned. Raises ``UnusableInput``."""
    answer: Callable[[Model], AnswerMaker]
    """What reads the answers of a model. Raises ``UnusableInput`` for a model that the API cannot ask."""


def through_boto3(operation: str, parameters: Callable[[Model, Asking], Json]) -> Callable[..., Serialised]:
    """``Api.serialise`` for an operation of boto3's bedrock-runtime client with these arguments."""

    def serialise(serialiser: Serialiser, model: Model, asking: Asking) -> Serialised:
        return serialiser(operation, parameters(model, asking))

    return serialise

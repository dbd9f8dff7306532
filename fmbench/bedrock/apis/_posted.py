"""What the APIs that boto3 has no operation for have in common: JSON posted to a path of bedrock-runtime or bedrock-mantle."""

from __future__ import annotations

from typing import Any

import orjson

from fmbench.bedrock import told
from fmbench.bedrock.answers import BodyAnswer, Json, StreamFault
from fmbench.bedrock.apis.invoke import guardrail_intervened, read_piece
from fmbench.bedrock.client import Serialised, Serialiser
from fmbench.bedrock.families.base import Piece, mapping
from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.foreign import believed_word
from fmbench.config.schema import Inference, Model
from fmbench.core.failures import UnusableInput
from fmbench.core.records import Exchange

SIGNED_FOR = {"runtime": "bedrock", "mantle": "bedrock-mantle"}
"""The name that a service's requests are signed for."""
_STANDARD = {"standard": "default"}
"""Tiers by the names that Bedrock's own APIs give them."""
_NO_PLACE = ("performance_config", "guardrail")


def post(
    serialiser: Serialiser, model: Model, path: str, body: Json, inference: Inference, headers: dict[str, str] | None = None
) -> Serialised:
    """The request, additional fields included. Raises ``UnusableInput`` for a parameter with no place in these APIs."""
    for name in _NO_PLACE:
        if getattr(inference, name) is not None:
            raise no_place(model, name, f"use api: converse-stream{_AT[model.endpoint]}, where the model has it")
    content = orjson.dumps(body | (inference.additional_model_request_fields or {}))
    return serialiser.post(path, content, headers or {}, SIGNED_FOR[model.endpoint])


_AT = {"runtime": "", "mantle": " with endpoint: runtime"}


def no_place(model: Model, name: str, cure: str) -> UnusableInput:
    """A parameter that an API has no place for."""
    return UnusableInput(f"models: {model.id}: inference.{name} has no place in api {model.api}. Leave it out, or {cure}.")


def tier(inference: Inference) -> Any:
    """The tier asked for, None for none."""
    return (inference.service_tier or {}).get("type")


def take(exchange: Exchange, piece: Piece, body: Json) -> bool:
    """Take a piece's counts and stop reason and the tier as served; whether a guardrail intervened."""
    read_piece(exchange, piece)
    served = believed_word(
        exchange, body.get("service_tier") or mapping(body.get("usage")).get("service_tier"), "the service tier"
    )
    if served is not None:
        exchange.service_tier = _STANDARD.get(served, served)
    return guardrail_intervened(body)


class WholeAnswer(BodyAnswer):
    """One JSON body into an ``Exchange``."""

    def piece(self, body: Json) -> Piece:
        """What the body says."""
        raise NotImplementedError

    def read_body(self, body: Json) -> None:
        piece = self.piece(body)
        fault = told.fault_of_event(body, "") if piece.stop_reason is None else None
        if fault is not None:
            raise StreamFault(fault)
        known = piece.stop_reason is not None or guardrail_intervened(body)
        if not known and not (piece.has_content and piece.output_tokens is not None):
            raise BadResponse(f"not an answer of this API: {', '.join(body)[:200]}")
        self.guarded = take(self.exchange, piece, body)
        self.saw(piece.text, bool(piece.reasoning) or piece.tool)
        if self.pieces is not None:
            self.pieces.append(piece.text)

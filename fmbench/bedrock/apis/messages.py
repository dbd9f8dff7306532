"""Anthropic Messages, streamed. https://docs.aws.amazon.com/bedrock/latest/userguide/inference-messages-api.html"""

from __future__ import annotations

from typing import Any

from fmbench.bedrock.apis._posted import WholeAnswer, post, take, tier
from fmbench.bedrock.apis.base import Api
from fmbench.bedrock.apis.invoke import guardrail_intervened
from fmbench.bedrock.cache_points import Asking, with_cache_control
from fmbench.bedrock.client import Serialised, Serialiser
from fmbench.bedrock.event_answers import EventAnswer
from fmbench.bedrock.families.anthropic import chunk, messages_body, whole
from fmbench.bedrock.families.base import Piece, mapping
from fmbench.bedrock.faults import BadResponse
from fmbench.config.schema import Model

Json = dict[str, Any]
PATH = "/anthropic/v1/messages"
_VERSION = {"anthropic-version": "2023-06-01"}


def serialise(serialiser: Serialiser, model: Model, asking: Asking, stream: bool) -> Serialised:
    """The request for one user message."""
    inference = asking.inference
    content = with_cache_control(messages_body(model.id, asking.text, inference), asking)
    body = {"model": model.id, **content} | ({"stream": True} if stream else {})
    asked = tier(inference)
    headers = _VERSION if asked is None else _VERSION | {"X-Amzn-Bedrock-Service-Tier": str(asked)}
    return post(serialiser, model, PATH, body, inference, headers)


class MessagesAnswer(EventAnswer):
    """Events of Messages into an ``Exchange``: ``message_stop`` ends the answer."""

    MARK = b'"delta":{"type":"text_delta","text":"'
    NO_NEWS = frozenset({b"ping", b"content_block_stop"})

    def event(self, body: Json, now_ns: int) -> None:
        kind = body.get("type")
        self.guarded |= guardrail_intervened(body)
        if kind == "message_stop":
            self.stopped = True
        elif kind in ("message_start", "message_delta", "content_block_start", "content_block_delta"):
            piece = chunk(body)
            if piece.has_content and self.stopped:
                raise BadResponse("content after message_stop")
            self.stamp(piece.text, bool(piece.reasoning) or piece.tool, now_ns)
            self.guarded |= take(self.exchange, piece, mapping(body.get("message")) or body)


class MessagesWholeAnswer(WholeAnswer):
    """The body of Messages into an ``Exchange``."""

    def piece(self, body: Json) -> Piece:
        return whole(body)


API = Api(
    serialise=lambda serialiser, model, asking: serialise(serialiser, model, asking, stream=True),
    answer=lambda _model: MessagesAnswer,
)

"""OpenAI's Chat Completions, streamed. https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html"""

from __future__ import annotations

from typing import Any

from fmbench.bedrock.apis._openai import path
from fmbench.bedrock.apis._posted import WholeAnswer, post, take, tier
from fmbench.bedrock.apis.base import Api
from fmbench.bedrock.cache_points import Asking, check_no_points
from fmbench.bedrock.client import Serialised, Serialiser
from fmbench.bedrock.event_answers import EventAnswer
from fmbench.bedrock.families.base import Piece, given
from fmbench.bedrock.families.chat import chunk, messages, whole
from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.inline_reasoning import InlineReasoning
from fmbench.bedrock.thinking import effort_of
from fmbench.config.schema import Model
from fmbench.core.records import Exchange

Json = dict[str, Any]
_STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def serialise(serialiser: Serialiser, model: Model, asking: Asking, stream: bool) -> Serialised:
    """The request for one user message."""
    check_no_points(model, asking)
    inference = asking.inference
    body = {"model": model.id, "messages": messages(asking.text, inference)} | given(
        max_completion_tokens=inference.max_tokens,
        temperature=inference.temperature,
        top_p=inference.top_p,
        stop=inference.stop_sequences,
        reasoning_effort=effort_of(model.id, inference),
        service_tier=tier(inference),
    )
    return post(serialiser, model, path(model, "chat/completions"), body | (_STREAM if stream else {}), inference)


class ChatAnswer(EventAnswer):
    """Chunks of a chat completion into an ``Exchange``: the finish reason ends the answer, its usage comes after it.

    So does ``[DONE]``, where a server gives no reason.
    """

    MARK = b'"delta":{"content":"'
    GUARD = b'"finish_reason":null'

    def __init__(self, exchange: Exchange, keep_text: bool) -> None:
        super().__init__(exchange, keep_text)
        self._inline = InlineReasoning()

    def done(self) -> None:
        self.stopped = True

    def event(self, body: Json, now_ns: int) -> None:
        piece = chunk(body)
        if piece.has_content and self.stopped:
            raise BadResponse("content after the finish reason")
        visible = self._inline.visible(piece.text)
        hidden = bool(piece.text) and not visible
        self.stamp(visible, bool(piece.reasoning) or piece.tool or hidden, now_ns)
        self.guarded |= take(self.exchange, piece, body)
        self.stopped = self.stopped or piece.stop_reason is not None


class ChatWholeAnswer(WholeAnswer):
    """The body of a chat completion into an ``Exchange``."""

    def piece(self, body: Json) -> Piece:
        return whole(body)


API = Api(
    serialise=lambda serialiser, model, asking: serialise(serialiser, model, asking, stream=True),
    answer=lambda _model: ChatAnswer,
)

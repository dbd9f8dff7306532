"""OpenAI's Chat Completions, streamed. https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html"""

from __future__ import annotations

from typing import Any

from fmbench.bedrock.apis._openai import path, with_usage
from fmbench.bedrock.apis._posted import WholeAnswer, post, take, tier
from fmbench.bedrock.apis.base import Api
from fmbench.bedrock.cache_points import Asking, check_no_points
from fmbench.bedrock.client import Serialised, Serialiser
from fmbench.bedrock.event_answers import EventAnswer
from fmbench.bedrock.families.base import Piece, first, given, mapping, text_of
from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.foreign import counts_in
from fmbench.bedrock.thinking import effort_of
from fmbench.config.schema import Model
from fmbench.core.records import Exchange

Json = dict[str, Any]
_STREAM = {"stream": True, "stream_options": {"include_usage": True}}
_OPEN, _CLOSE = "<reasoning>", "</reasoning>"
"""What gpt-oss puts around its reasoning, which comes in the content itself."""


def serialise(serialiser: Serialiser, model: Model, asking: Asking, stream: bool) -> Serialised:
    """The request for one user message."""
    check_no_points(model, asking)
    inference = asking.inference
    system = [] if inference.system is None else [{"role": "system", "content": inference.system}]
    body = {"model": model.id, "messages": [*system, {"role": "user", "content": asking.text}]} | given(
        max_completion_tokens=inference.max_tokens,
        temperature=inference.temperature,
        top_p=inference.top_p,
        stop=inference.stop_sequences,
        reasoning_effort=effort_of(model.id, inference),
        service_tier=tier(inference),
    )
    return post(serialiser, model, path(model, "chat/completions"), body | (_STREAM if stream else {}), inference)


_THOUGHTS = ("reasoning_content", "reasoning", "thinking")


def _content(content: Any) -> tuple[str, str]:
    """(visible text, reasoning) of a message's content: a text, or a list of parts, as Mistral's models that think send it."""
    if not isinstance(content, list):
        return text_of(content), ""
    parts = [mapping(part) for part in content]
    thoughts = [part.get("thinking") for part in parts if part.get("type") == "thinking"]
    inner = [mapping(each) for thought in thoughts for each in (thought if isinstance(thought, list) else [{"text": thought}])]
    visible = "".join(text_of(part.get("text")) for part in parts if part.get("type") != "thinking")
    return visible, "".join(text_of(each.get("text")) for each in inner)


def _piece(body: Json, part: str) -> Piece:
    choice = first(body.get("choices"))
    message = mapping(choice.get(part))
    text, thought = _content(message.get("content"))
    piece = Piece(
        text=text or text_of(message.get("refusal")),
        reasoning=thought or next((found for name in _THOUGHTS if (found := text_of(message.get(name)))), ""),
        tool=bool(message.get("tool_calls") or message.get("function_call")),
        stop_reason=choice.get("finish_reason") or None,
    )
    return with_usage(piece, counts_in(body.get("usage")), "prompt", "completion")


class ChatAnswer(EventAnswer):
    """Chunks of a chat completion into an ``Exchange``: the finish reason ends the answer, its usage comes after it."""

    MARK = b'"delta":{"content":"'
    GUARD = b'"finish_reason":null'

    def __init__(self, exchange: Exchange, keep_text: bool) -> None:
        super().__init__(exchange, keep_text)
        self._opening: str | None = ""
        """The text kept back, while it can still be reasoning; None: visible text has come."""

    def event(self, body: Json, now_ns: int) -> None:
        piece = _piece(body, "delta")
        if piece.has_content and self.stopped:
            raise BadResponse("content after the finish reason")
        visible = self._visible(piece.text)
        hidden = bool(piece.text) and not visible
        self.stamp(visible, bool(piece.reasoning) or piece.tool or hidden, now_ns)
        self.guarded |= take(self.exchange, piece, body)
        self.stopped = self.stopped or piece.stop_reason is not None

    def _visible(self, text: str) -> str:
        """The part of a delta's text that is no reasoning."""
        if self._opening is None or not text:
            return text
        held = self._opening + text
        begun = held.lstrip()
        if not begun:
            return text
        if not begun.startswith(_OPEN[: len(begun)]):
            self._opening = None
            return held
        self._opening = held
        _, closed, after = begun.partition(_CLOSE)
        if closed and after:
            self._opening = None
        return after


class ChatWholeAnswer(WholeAnswer):
    """The body of a chat completion into an ``Exchange``."""

    def piece(self, body: Json) -> Piece:
        piece = _piece(body, "message")
        if piece.text.lstrip().startswith(_OPEN):
            piece.reasoning, _, piece.text = piece.text.partition(_CLOSE)
        return piece


API = Api(
    serialise=lambda serialiser, model, asking: serialise(serialiser, model, asking, stream=True),
    answer=lambda _model: ChatAnswer,
)

"""OpenAI's Responses, streamed. https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html"""

from __future__ import annotations

from typing import Any

from fmbench.bedrock import told
from fmbench.bedrock.answers import StreamFault
from fmbench.bedrock.apis._openai import path
from fmbench.bedrock.apis._posted import WholeAnswer, no_place, post, take, tier
from fmbench.bedrock.apis.base import Api
from fmbench.bedrock.apis.invoke import guardrail_intervened
from fmbench.bedrock.cache_points import Asking, check_no_points
from fmbench.bedrock.client import Serialised, Serialiser
from fmbench.bedrock.event_answers import EventAnswer
from fmbench.bedrock.families.base import Piece, given, items, mapping, text_of
from fmbench.bedrock.families.chat import with_usage
from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.foreign import counts_in
from fmbench.bedrock.thinking import effort_of
from fmbench.config.schema import Model

Json = dict[str, Any]
_BEGUN = ("created", "queued", "in_progress", "output_item.added", "content_part.added")
_REPEATED = ("output_item.done", "content_part.done", "output_text.done", "reasoning_text.done", "reasoning_summary_text.done")
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_REFUSAL = "response.refusal.delta"
_TEXT = ("response.output_text.delta", _REFUSAL)
_FAILED = ("failed", "cancelled")


def serialise(serialiser: Serialiser, model: Model, asking: Asking, stream: bool) -> Serialised:
    """The request for one user message; nothing of it is to be stored."""
    check_no_points(model, asking)
    inference = asking.inference
    if inference.stop_sequences is not None:
        raise no_place(model, "stop_sequences", "use api: chat, where the model has it")
    effort = effort_of(model.id, inference)
    body = {"model": model.id, "input": [{"role": "user", "content": asking.text}], "store": False} | given(
        instructions=inference.system,
        max_output_tokens=inference.max_tokens,
        temperature=inference.temperature,
        top_p=inference.top_p,
        reasoning=None if effort is None else {"effort": effort},
        service_tier=tier(inference),
    )
    return post(serialiser, model, path(model, "responses"), body | ({"stream": True} if stream else {}), inference)


def _ended(response: Json) -> Piece:
    """What the end of a response says: why it ended, and its counts. Raises ``StreamFault`` for one that failed."""
    status = response.get("status")
    if status in _FAILED or response.get("error"):
        failed = (
            response if response.get("error") else {"error": {"type": "server_error", "message": f"the response was {status}"}}
        )
        raise StreamFault(told.fault_in_stream(failed))
    reason = mapping(response.get("incomplete_details")).get("reason") if status == "incomplete" else status
    return with_usage(Piece(stop_reason=reason or status), counts_in(response.get("usage")), "input", "output")


class ResponsesAnswer(EventAnswer):
    """Events of Responses into an ``Exchange``: the event that holds the whole response ends the answer."""

    MARK = b'"delta":"'
    GUARD = b'"type":"response.output_text.delta"'
    NO_NEWS = frozenset(f"response.{name}".encode() for name in (*_BEGUN, *_REPEATED))

    def event(self, body: Json, now_ns: int) -> None:
        kind = text_of(body.get("type"))
        self.guarded |= guardrail_intervened(body)
        if kind in _ENDS:
            self._end(mapping(body.get("response")))
        elif kind.endswith(".delta"):
            if self.stopped:
                raise BadResponse("content after the end of the response")
            delta = text_of(body.get("delta"))
            self.exchange.refused |= kind == _REFUSAL
            self.stamp(delta if kind in _TEXT else "", bool(delta) and kind not in _TEXT, now_ns)

    def _end(self, response: Json) -> None:
        self.guarded |= take(self.exchange, _ended(response), response)
        self.stopped = True


class ResponsesWholeAnswer(WholeAnswer):
    """The body of Responses into an ``Exchange``."""

    def piece(self, body: Json) -> Piece:
        piece = _ended(body)
        for item in map(mapping, items(body.get("output"))):
            contents = [mapping(part) for part in items(item.get("content"))]
            piece.text += "".join(text_of(part.get("text")) for part in contents if part.get("type") == "output_text")
            refusal = "".join(text_of(part.get("refusal")) for part in contents)
            piece.text += refusal
            piece.refused |= bool(refusal)
            thoughts = [*contents, *map(mapping, items(item.get("summary")))] if item.get("type") == "reasoning" else []
            piece.reasoning += "".join(text_of(part.get("text")) for part in thoughts)
            piece.tool |= text_of(item.get("type")).endswith("_call")
        return piece


API = Api(
    serialise=lambda serialiser, model, asking: serialise(serialiser, model, asking, stream=True),
    answer=lambda _model: ResponsesAnswer,
)

"""InvokeModel: the model's own body, the answer in one piece."""

from __future__ import annotations

from dataclasses import fields

import orjson

from fmbench.bedrock.answers import BodyAnswer, Json
from fmbench.bedrock.apis.base import AnswerMaker, Api, through_boto3
from fmbench.bedrock.cache_points import Asking, check_no_points
from fmbench.bedrock.families import family_of
from fmbench.bedrock.families.base import Family, Piece, given, mapping, request_body
from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.foreign import believed_seconds, believed_word, count, word
from fmbench.bedrock.http1 import Head, Sink
from fmbench.config.schema import Model
from fmbench.core.failures import UnusableInput
from fmbench.core.records import Exchange, Usage

_GUARDRAIL = {"guardrailIdentifier": "guardrailIdentifier", "guardrailVersion": "guardrailVersion", "trace": "trace"}


def parameters(model: Model, asking: Asking) -> Json:
    """boto3's arguments: the family's JSON body, and headers for tier, performance and guardrail."""
    family, inference = family_of(model.id, model.family), asking.inference
    if family.cache is None:
        check_no_points(model, asking)
    body = request_body(family, model.id, asking.text, inference)
    return {
        "modelId": model.id,
        "body": orjson.dumps(body if family.cache is None else family.cache(body, asking)),
        "contentType": "application/json",
        "accept": "application/json",
    } | given(
        performanceConfigLatency=mapping(inference.performance_config).get("latency"),
        serviceTier=mapping(inference.service_tier).get("type"),
        requestMetadata=None if asking.metadata is None else orjson.dumps(dict(asking.metadata)).decode(),
        **_guardrail(mapping(inference.guardrail)),
    )


def _guardrail(config: Json) -> Json:
    for name in config:
        if name not in _GUARDRAIL:
            raise UnusableInput(
                f"inference.guardrail.{name} has no place in InvokeModel: it takes {', '.join(_GUARDRAIL)}. "
                "Leave it out, or use api: converse-stream."
            )
    trace = config.get("trace")
    return {_GUARDRAIL[name]: value for name, value in config.items()} | given(
        trace=trace.upper() if isinstance(trace, str) else trace
    )


def read_headers(exchange: Exchange, head: Head) -> None:
    """What Bedrock says in headers: token counts, latency, tier and performance as served."""
    exchange.usage.input_tokens = _number(head.get("x-amzn-bedrock-input-token-count"))
    exchange.usage.output_tokens = _number(head.get("x-amzn-bedrock-output-token-count"))
    exchange.usage.cache_read_tokens = _number(head.get("x-amzn-bedrock-cache-read-input-token-count"))
    exchange.usage.cache_write_tokens = _number(head.get("x-amzn-bedrock-cache-write-input-token-count"))
    latency = _number(head.get("x-amzn-bedrock-invocation-latency"))
    exchange.server_latency_s = believed_seconds(exchange, latency, "x-amzn-bedrock-invocation-latency")
    exchange.service_tier = believed_word(exchange, head.get("x-amzn-bedrock-service-tier"), "the service tier")
    exchange.latency_mode = believed_word(exchange, head.get("x-amzn-bedrock-performanceconfig-latency"), "the latency mode")


def read_piece(exchange: Exchange, piece: Piece) -> None:
    """Take a piece's stop reason and those counts that it holds."""
    exchange.stop_reason = word(piece.stop_reason) or exchange.stop_reason
    exchange.refused |= piece.refused
    for name in _COUNTS:
        value = getattr(piece, name)
        if value is not None:
            setattr(exchange.usage, name, value)


_COUNTS = tuple(column.name for column in fields(Usage))


def read_metrics(exchange: Exchange, body: Json) -> None:
    """Bedrock's own counts and latency at the end of an answer's body, where they are."""
    metrics = body.get("amazon-bedrock-invocationMetrics")
    if not isinstance(metrics, dict):
        return
    usage = exchange.usage
    usage.input_tokens = _known(count(metrics.get("inputTokenCount")), usage.input_tokens)
    usage.output_tokens = _known(count(metrics.get("outputTokenCount")), usage.output_tokens)
    usage.cache_read_tokens = _known(count(metrics.get("cacheReadInputTokenCount")), usage.cache_read_tokens)
    usage.cache_write_tokens = _known(count(metrics.get("cacheWriteInputTokenCount")), usage.cache_write_tokens)
    latency = believed_seconds(exchange, metrics.get("invocationLatency"), "invocationLatency")
    exchange.server_latency_s = exchange.server_latency_s if latency is None else latency


def guardrail_intervened(body: Json) -> bool:
    """Whether a guardrail replaced the answer."""
    return body.get("amazon-bedrock-guardrailAction") == "INTERVENED" or body.get("stopReason") == "guardrail_intervened"


class InvokeAnswer(BodyAnswer):
    """The body of InvokeModel into an ``Exchange``."""

    def __init__(self, exchange: Exchange, keep_text: bool, family: Family) -> None:
        super().__init__(exchange, keep_text)
        self._family = family

    def body_sink(self, head: Head) -> Sink:
        read_headers(self.exchange, head)
        return super().body_sink(head)

    def read_body(self, body: Json) -> None:
        piece = self._family.whole(body)
        self.guarded = guardrail_intervened(body)
        if piece.stop_reason is None and not self.guarded:
            raise BadResponse(f"not a body of {self._family.name} models: {', '.join(body)[:200]}")
        read_piece(self.exchange, piece)
        read_metrics(self.exchange, body)
        self.saw(piece.text, bool(piece.reasoning) or piece.tool)
        if self.pieces is not None:
            self.pieces.append(piece.text)


def _number(text: str) -> int | None:
    return count(int(text), "a count in the answer's head") if text.isascii() and text.isdigit() and len(text) < 20 else None


def _known(value: int | None, otherwise: int | None) -> int | None:
    return otherwise if value is None else value


def _answer(model: Model) -> AnswerMaker:
    family = family_of(model.id, model.family)
    return lambda exchange, keep_text: InvokeAnswer(exchange, keep_text, family)


API = Api(serialise=through_boto3("InvokeModel", parameters), answer=_answer)

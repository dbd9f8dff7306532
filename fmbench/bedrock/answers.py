"""What every API's answer has in common: where its body goes, what it fills in, and whether it was whole."""

from __future__ import annotations

from typing import Any, Protocol

import orjson
from botocore.parsers import create_parser

from fmbench.bedrock import faults, told
from fmbench.bedrock.encodings import unpacked
from fmbench.bedrock.faults import BadResponse, Fault
from fmbench.bedrock.foreign import Malformed, believed_seconds, believed_word, count, items
from fmbench.bedrock.frames import parse_headers
from fmbench.bedrock.http1 import Head, Sink
from fmbench.core.failures import FailureKind
from fmbench.core.neutral import neutral
from fmbench.core.records import Exchange

EVENT_STREAM = "application/vnd.amazon.eventstream"
_REQUEST_IDS = ("x-amzn-requestid", "x-request-id", "request-id")
"""Headers that name a request: Bedrock's own, OpenAI's, Anthropic's."""
_GUARDED = "guardrail_intervened"
_WITHHELD = ("content_filter", "content_filtered")
"""How OpenAI's shape, and Bedrock's own, say that a filter stood in the way, a guardrail too."""
MAX_BODY = 32 * 1024 * 1024
Json = dict[str, Any]


class BodyBuffer:
    """Keeps a whole body. A ``Sink`` of ``http1``."""

    __slots__ = ("body",)

    def __init__(self) -> None:
        self.body = bytearray()

    def content(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        """Take ``data[start:end]``. Raises ``BadResponse`` when the body grows past 32 MiB."""
        if len(self.body) + end - start > MAX_BODY:
            raise BadResponse(f"a body of more than {MAX_BODY} bytes")
        self.body += data[start:end]


class StreamFault(Exception):
    """An exception frame ended the stream."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Answer:
    """One answer on its way into an ``Exchange``. ``begin`` gets the head, ``finish`` says what was wrong, if anything."""

    media_type = "application/json"

    def __init__(self, exchange: Exchange, keep_text: bool) -> None:
        self.exchange = exchange
        self.pieces: list[str] | None = [] if keep_text else None
        self._refused: tuple[Head, BodyBuffer] | None = None
        self.guarded = False

    @property
    def whole(self) -> bool:
        """Whether the answer can be counted as a success, whatever becomes of the connection."""
        return False

    def begin(self, head: Head) -> Sink:
        """Where the body of the answer with this head goes."""
        exchange = self.exchange
        exchange.http_status = head.status
        exchange.request_id = next((neutral(head.get(name), 200) for name in _REQUEST_IDS if head.get(name)), None)
        if head.status == 200 and head.content_type in ("", self.media_type):
            return unpacked(head, self.body_sink(head))
        exchange.retry_after = head.get("x-amz-retry-after") or None
        buffer = BodyBuffer()
        self._refused = (head, buffer)
        return unpacked(head, buffer)

    def finish(self, short: bool) -> Fault | None:
        """What was wrong with the answer after its last byte; ``short`` when the input ended before its end."""
        if self._refused is not None:
            return _fault_of_body(*self._refused)
        fault = self.fault_of_end(short)
        if self.pieces is not None:
            self.exchange.text = "".join(self.pieces)
        return fault or self._fault_of_whole()

    def _fault_of_whole(self) -> Fault | None:
        """What is wrong with an answer that came to its end."""
        reason = (self.exchange.stop_reason or "").lower()
        if self.guarded or reason == _GUARDED:
            return Fault(FailureKind.GUARDRAIL, "a guardrail intervened")
        if self.exchange.usage.output_tokens is not None:
            return None
        if reason in _WITHHELD:
            return Fault(FailureKind.GUARDRAIL, "a content filter withheld the answer, which came without token counts")
        return Fault(FailureKind.NO_USAGE, "the answer came without token counts")

    def body_sink(self, head: Head) -> Sink:
        """Where the body of a successful answer goes."""
        raise NotImplementedError

    def fault_of_end(self, short: bool) -> Fault | None:
        """What is wrong with a successful answer's end."""
        raise NotImplementedError

    def saw(self, text: str, other: bool = False) -> None:
        """Note content: text, or content of another kind."""
        exchange = self.exchange
        if not exchange.visible:
            exchange.visible = bool(text) and not text.isspace()
        exchange.reasoned = exchange.reasoned or other

    def read_served(self, body: Json) -> None:
        """Usage, latency, tier and performance as Converse's answers carry them."""
        exchange, usage = self.exchange, body.get("usage")
        if isinstance(usage, dict):
            exchange.usage.input_tokens = count(usage.get("inputTokens"), "usage.inputTokens")
            exchange.usage.output_tokens = count(usage.get("outputTokens"), "usage.outputTokens")
            exchange.usage.cache_read_tokens = count(usage.get("cacheReadInputTokens"), "usage.cacheReadInputTokens")
            exchange.usage.cache_write_tokens = count(usage.get("cacheWriteInputTokens"), "usage.cacheWriteInputTokens")
            exchange.usage.cache_write_1h_tokens = _kept_an_hour(usage.get("cacheDetails"))
        elif usage is not None:
            raise Malformed("usage is not an object")
        router = _member(body, "trace", "promptRouter")
        if isinstance(router, dict):
            exchange.invoked_model = believed_word(exchange, router.get("invokedModelId"), "invokedModelId")
        latency = believed_seconds(exchange, _member(body, "metrics", "latencyMs"), "metrics.latencyMs")
        exchange.server_latency_s = exchange.server_latency_s if latency is None else latency
        tier = believed_word(exchange, _member(body, "serviceTier", "type"), "serviceTier.type")
        exchange.service_tier = tier or exchange.service_tier
        mode = believed_word(exchange, _member(body, "performanceConfig", "latency"), "performanceConfig.latency")
        exchange.latency_mode = mode or exchange.latency_mode


def _kept_an_hour(details: Any) -> int | None:
    """Tokens written to the cache for an hour, of ``cacheDetails``; None where it does not say."""
    written = [detail for detail in items(details) if isinstance(detail, dict) and detail.get("ttl") == "1h"]
    return count(written[0].get("inputTokens"), "cacheDetails.inputTokens") if written else None


class Decoder(Sink, Protocol):
    """Cuts a body into its messages."""

    @property
    def unfinished(self) -> bool:
        """Whether a message has begun that has not ended."""


class StreamAnswer(Answer):
    """An answer in a stream of messages, which a subclass takes from a decoder of its own."""

    media_type = EVENT_STREAM
    _decoder: Decoder

    def __init__(self, exchange: Exchange, keep_text: bool) -> None:
        super().__init__(exchange, keep_text)
        self.stopped = False

    @property
    def whole(self) -> bool:
        return self.stopped and self.exchange.usage.output_tokens is not None

    def body_sink(self, head: Head) -> Sink:
        return self._decoder

    def fault_of_end(self, short: bool) -> Fault | None:
        if self.whole:
            return None
        if self._decoder.unfinished:
            return Fault(FailureKind.TRUNCATED, "the answer ended within a message")
        if short:
            return Fault(FailureKind.RESET_IN_STREAM, "the connection was closed before the answer's last chunk")
        if not self.stopped and not self.guarded:
            return Fault(FailureKind.TRUNCATED, "the answer ended without its last message")
        return None

    def stamp(self, text: str, other: bool, now_ns: int) -> None:
        """Note content that arrived at ``now_ns``: visible text, or another kind of content."""
        exchange = self.exchange
        if not text and not other:
            return
        exchange.content_ns.append(now_ns)
        self.saw(text, other)
        if text and exchange.first_text_ns is None:
            exchange.first_text_ns = now_ns
        if text and self.pieces is not None:
            self.pieces.append(text)


class BodyAnswer(Answer):
    """An answer in one JSON body."""

    def body_sink(self, head: Head) -> Sink:
        self._buffer = BodyBuffer()
        return self._buffer

    def fault_of_end(self, short: bool) -> Fault | None:
        if short:
            return Fault(FailureKind.TRUNCATED, "the connection was closed before the answer's end")
        self.read_body(read_json(self._buffer.body))
        return None

    def read_body(self, body: Json) -> None:
        """Take the whole answer."""
        raise NotImplementedError


def read_json(payload: bytes | bytearray) -> Json:
    """A JSON object. Raises ``BadResponse``."""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise BadResponse(f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadResponse("JSON, but not an object")
    return body


_MAX_EVENTS_KNOWN = 256
_known_events: dict[bytes, str] = {}


def event_of(headers: bytes, payload: bytes) -> str:
    """The frame's event type; header bytes seen before are not parsed again. Raises ``StreamFault`` for exceptions."""
    event = _known_events.get(headers)
    if event is None:
        event = _parse_event(headers, payload)
        if len(_known_events) < _MAX_EVENTS_KNOWN:
            _known_events[headers] = event
    return event


def _parse_event(headers: bytes, payload: bytes) -> str:
    fields = parse_headers(headers)
    kind = fields.get(":message-type", "event")
    if kind == "event":
        return fields.get(":event-type", "")
    if kind == "error":
        raise StreamFault(faults.of_stream_exception(fields.get(":error-code", ""), fields.get(":error-message", "")))
    try:
        message = read_json(payload).get("message", "")
    except BadResponse:
        message = ""
    raise StreamFault(faults.of_stream_exception(fields.get(":exception-type", ""), str(message)))


_error_parser: Any = create_parser("rest-json")


def _fault_of_body(head: Head, buffer: BodyBuffer) -> Fault:
    """The fault that an answer without success, or without the API's media type, stands for."""
    if head.status < 300:
        return Fault(
            FailureKind.BAD_RESPONSE, f"HTTP {head.status} with {head.content_type or 'no content type'}: {_start(buffer.body)}"
        )
    response = {"status_code": head.status, "headers": _CaseBlind(head.headers), "body": bytes(buffer.body)}
    try:
        error = _error_parser.parse(response, None).get("Error", {})
    except Exception:  # an error body that botocore cannot read (a JSON list, say): the status has to do
        error = {"Message": _start(buffer.body)}
    code, message = str(error.get("Code") or ""), str(error.get("Message") or "")
    if "html" in head.content_type:
        message = f"HTTP {head.status} with {head.content_type}: {_start(buffer.body)}"
    if faults.is_from_a_proxy(head):
        return Fault(FailureKind.PROXY_REFUSED, message or f"HTTP {head.status}")
    return faults.with_skew(_fault_told(head.status, code, message, buffer.body), head.get("date"))


def _fault_told(status: int, code: str, message: str, body: bytearray) -> Fault:
    """The fault of an error answer; a message that is not where AWS has it is where OpenAI's and Anthropic's APIs have it."""
    elsewhere = None if message else _told_elsewhere(status, body)
    if elsewhere is None or code.endswith("Exception"):
        return faults.of_error_answer(status, code, message or ("" if elsewhere is None else elsewhere.message))
    return elsewhere


def _told_elsewhere(status: int, body: bytearray) -> Fault | None:
    try:
        return told.fault_of_answer(status, read_json(body))
    except BadResponse:
        return None


class _CaseBlind(dict[str, str]):
    """Headers as botocore's parser asks for them: in any case."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())


def _start(body: bytes | bytearray) -> str:
    return bytes(body[:200]).decode("utf-8", "replace")


def _member(body: Json, section: str, name: str) -> Any:
    value = body.get(section)
    return value.get(name) if isinstance(value, dict) else None

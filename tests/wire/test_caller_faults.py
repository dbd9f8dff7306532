"""Every answer that is a failure, made by a raw server over a real socket: exactly that word, with and without gevent."""

from __future__ import annotations

import socket
import threading

import pytest

from fmbench.core.failures import FailureKind as Word
from tests.bedrock import by_hand
from tests.bedrock.asking import PROMPT, Ask, Asker
from tests.bedrock.scripted_server import Script, scripted
from tests.wire.scripts import aws_error, begun, broken, closes, refuses, resets, sends, streams

CONVERSE = {"id": "us.amazon.nova-lite-v1:0", "api": "converse"}


FRAMES = by_hand.answer_frames()
NOT_JSON = by_hand.frame({":event-type": "messageStop", ":message-type": "event"}, b"{")
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>sorry</body></html>"

BEFORE: list[tuple[str, Script, Word, int | None]] = [
    (
        "requests",
        refuses("429 T", "ThrottlingException", "Too many requests, please wait before trying again."),
        Word.THROTTLED_REQUESTS,
        429,
    ),
    (
        "rate",
        refuses("429 T", "ThrottlingException", "Your request rate is too high. Reduce the frequency of requests."),
        Word.THROTTLED_REQUESTS,
        429,
    ),
    (
        "tokens",
        refuses("429 T", "ThrottlingException", "Too many tokens, please wait before trying again."),
        Word.THROTTLED_TOKENS,
        429,
    ),
    (
        "daily",
        refuses("429 T", "ThrottlingException", "Too many tokens per day, please wait before trying again."),
        Word.THROTTLED_DAILY,
        429,
    ),
    ("throttled", refuses("429 T", "ThrottlingException", "Rate exceeded"), Word.THROTTLED, 429),
    ("not ready", refuses("429 T", "ModelNotReadyException", "The model is not ready."), Word.MODEL_NOT_READY, 429),
    ("model timeout", refuses("408 T", "ModelTimeoutException", "The request took too long."), Word.MODEL_TIMEOUT, 408),
    ("model error", refuses("424 T", "ModelErrorException", "The model failed."), Word.MODEL_ERROR, 424),
    ("stream error", refuses("424 T", "ModelStreamErrorException", "Streaming failed."), Word.MODEL_STREAM_ERROR, 424),
    ("internal", refuses("500 T", "InternalServerException", "unexpected"), Word.INTERNAL, 500),
    ("unavailable", refuses("503 T", "ServiceUnavailableException", "try later"), Word.SERVICE_UNAVAILABLE, 503),
    ("validation", refuses("400 T", "ValidationException", "The provided model identifier is invalid."), Word.VALIDATION, 400),
    ("quota", refuses("400 T", "ServiceQuotaExceededException", "over quota"), Word.QUOTA, 400),
    ("denied", refuses("403 T", "AccessDeniedException", "You don't have access to the model."), Word.ACCESS_DENIED, 403),
    (
        "wrong key",
        refuses("403 T", "UnrecognizedClientException", "The security token included in the request is invalid."),
        Word.UNRECOGNIZED_CLIENT,
        403,
    ),
    (
        "expired",
        refuses("403 T", "ExpiredTokenException", "The security token included in the request is expired"),
        Word.EXPIRED_CREDENTIALS,
        403,
    ),
    (
        "signature expired",
        refuses("403 T", "InvalidSignatureException", "Signature expired: 20261127T080000Z is now earlier than 20261127T081500Z"),
        Word.CLOCK_SKEW,
        403,
    ),
    ("half a signature", refuses("403 T", "IncompleteSignatureException", "needs Credential"), Word.BAD_SIGNATURE, 403),
    ("old key", refuses("403 T", "AccessDeniedException", "Bearer Token has expired"), Word.EXPIRED_API_KEY, 403),
    ("too long", refuses("400 T", "ValidationException", "Input is too long for requested model."), Word.TOO_LONG, 400),
    ("proxy", sends(by_hand.counted(HTML, "407 T", "text/html", Proxy_Authenticate="Basic")), Word.PROXY_REFUSED, 407),
    ("proxy's page", sends(by_hand.counted(HTML, "403 T", "text/html", Via="squid")), Word.PROXY_REFUSED, 403),
    ("proxy's word", sends(by_hand.counted(b"Forbidden", "403 T", "text/plain")), Word.PROXY_REFUSED, 403),
    ("proxy's law", sends(by_hand.counted(b"", "451 T", "text/plain")), Word.PROXY_REFUSED, 451),
    ("proxy's login", sends(by_hand.counted(HTML, "511 T", "text/html")), Word.PROXY_REFUSED, 511),
    ("not found", refuses("404 T", "ResourceNotFoundException", "no such model"), Word.NOT_FOUND, 404),
    (
        "code in body",
        sends(by_hand.counted(b'{"__type":"com.amazon#ThrottlingException","message":"Too many tokens"}', "400 T")),
        Word.THROTTLED_TOKENS,
        400,
    ),
    ("strange code", refuses("418 T", "TeapotException", "short and stout"), Word.UNKNOWN, 418),
    ("html 503", sends(by_hand.counted(HTML, "503 T", "text/html")), Word.SERVICE_UNAVAILABLE, 503),
    ("html 200", sends(by_hand.counted(HTML, "200 OK", "text/html")), Word.BAD_RESPONSE, 200),
    ("wrong type", sends(by_hand.counted(b'{"message":"hello"}')), Word.BAD_RESPONSE, 200),
    ("redirect", sends(by_hand.counted(b"", "302 Found", "text/html", Location="http://127.0.0.1:1/")), Word.BAD_RESPONSE, 302),
    ("not http", sends(b"220 smtp ready\r\n"), Word.BAD_RESPONSE, None),
    ("closed", closes(), Word.RESET_BEFORE_RESPONSE, None),
    ("reset", resets(), Word.RESET_BEFORE_RESPONSE, None),
    ("closed in head", closes(b"HTTP/1.1 200 OK\r\nConte"), Word.RESET_BEFORE_RESPONSE, None),
]

WITHIN: list[tuple[str, Script, Word]] = [
    ("throttled", streams(by_hand.exception("throttlingException", "Too many tokens")), Word.THROTTLED_IN_STREAM),
    ("stream error", streams(by_hand.exception("modelStreamErrorException", "oh")), Word.MODEL_STREAM_ERROR),
    ("internal", streams(by_hand.exception("internalServerException", "oh")), Word.INTERNAL),
    ("unavailable", streams(by_hand.exception("serviceUnavailableException", "oh")), Word.SERVICE_UNAVAILABLE),
    ("validation", streams(by_hand.exception("validationException", "oh")), Word.VALIDATION),
    ("model timeout", streams(by_hand.exception("modelTimeoutException", "oh")), Word.MODEL_TIMEOUT),
    ("error frame", sends(begun(by_hand.error("InternalFailure", "oh"))), Word.INTERNAL),
    ("not modelled", sends(begun(by_hand.exception("newException", "oh"))), Word.UNKNOWN),
    ("reset", resets(begun()), Word.RESET_IN_STREAM),
    ("no last chunk", closes(begun()), Word.RESET_IN_STREAM),
    ("clean early end", streams(), Word.TRUNCATED),
    ("no messageStop", streams(by_hand.metadata()), Word.TRUNCATED),
    ("cut frame", streams(by_hand.text("abc")[:40]), Word.TRUNCATED),
    ("cut frame, closed", closes(begun() + by_hand.chunk(by_hand.text("abc"))[:40]), Word.TRUNCATED),
    ("no usage", streams(by_hand.stop()), Word.NO_USAGE),
    ("bad message crc", sends(begun(broken(by_hand.text("x")), by_hand.stop())), Word.CORRUPT_FRAME),
    ("bad prelude crc", sends(begun(b"\x00\x00\x00\x20\x00\x00\x00\x08" + bytes(24))), Word.CORRUPT_FRAME),
    ("bad chunk", sends(begun() + b"zz\r\n"), Word.BAD_RESPONSE),
    ("stop not JSON", sends(begun(NOT_JSON)), Word.BAD_RESPONSE),
    ("content after stop", sends(begun(by_hand.stop(), by_hand.text("more"))), Word.BAD_RESPONSE),
    ("guardrail", streams(by_hand.stop("guardrail_intervened"), by_hand.metadata()), Word.GUARDRAIL),
]


@pytest.mark.parametrize(("script", "word", "status"), [pytest.param(*row[1:], id=row[0]) for row in BEFORE])
def test_a_failure_before_the_answer(ask: Asker, script: Script, word: Word, status: int | None) -> None:
    with scripted(script) as server:
        [exchange] = ask(Ask(server.url))
    assert exchange.failure == word
    assert exchange.http_status == status
    assert exchange.sent_ns is not None and exchange.message
    assert exchange.content_ns == [] and exchange.usage.output_tokens is None
    assert len(server.requests) == 1


@pytest.mark.parametrize(("script", "word"), [pytest.param(*row[1:], id=row[0]) for row in WITHIN])
def test_a_failure_within_the_answer_keeps_what_came_before_it(ask: Asker, script: Script, word: Word) -> None:
    with scripted(script) as server:
        [exchange] = ask(Ask(server.url))
    assert exchange.failure == word
    assert (exchange.http_status, exchange.request_id) == (200, "4b0e")
    assert exchange.sent_ns is not None and exchange.headers_ns is not None
    assert exchange.ended_ns >= (exchange.last_content_ns or 0) > 0
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (by_hand.counted(b"{"), Word.BAD_RESPONSE),
        (by_hand.counted(b"[]"), Word.BAD_RESPONSE),
        (by_hand.counted(b'{"output":{}}'), Word.BAD_RESPONSE),
        (by_hand.counted(HTML, content_type="text/html"), Word.BAD_RESPONSE),
        (by_hand.counted(b'{"stopReason":"end_turn"}'), Word.NO_USAGE),
        (by_hand.counted(b'{"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1}}'), None),
        (by_hand.counted(b'{"stopReason":"guardrail_intervened","usage":{"outputTokens":1}}'), Word.GUARDRAIL),
    ],
)
def test_a_body_that_is_no_answer(ask: Asker, answer: bytes, word: Word | None) -> None:
    with scripted(sends(answer)) as server:
        [exchange] = ask(Ask(server.url, model=CONVERSE))
    assert exchange.failure == word


def test_a_body_before_its_length_is_truncated(ask: Asker) -> None:
    with scripted(closes(by_hand.counted(b'{"stopReason":"end_turn"}')[:-3])) as server:
        [exchange] = ask(Ask(server.url, model=CONVERSE))
    assert exchange.failure == Word.TRUNCATED


def test_a_whole_answer_stays_whole_when_its_last_chunk_is_lost(ask: Asker) -> None:
    with scripted(closes(by_hand.streamed(FRAMES)[: -len(by_hand.LAST_CHUNK)])) as server:
        [exchange] = ask(Ask(server.url))
    assert exchange.failure is None
    assert exchange.usage.output_tokens == 3


def test_messages_hold_no_secrets_and_no_prompt(ask: Asker) -> None:
    said = (
        f"Cannot do {PROMPT} for AKIAABCDEFGHIJKLMNOP with Bearer abcdefghijklmnop1234 in arn:aws:iam::123456789012:user/x "
        + "Signature=deadbeef, x-amz-security-token:FwoGZXIvYXdzEXAMPLE " + "x" * 900
    )  # fmt: skip
    with scripted(sends(aws_error("400 T", "ValidationException", said))) as server:
        [exchange] = ask(Ask(server.url))
    message = str(exchange.message)
    for secret in ("quick brown fox", "AKIAABCDEFGHIJKLMNOP", "abcdefghijklmnop1234", "123456789012", "deadbeef", "FwoGZXIv"):
        assert secret not in message
    assert message.startswith("Cannot do [prompt]") and len(message) <= 500


def test_a_request_that_is_refused_before_it_is_whole_is_refused_and_not_cut(ask: Asker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(by_hand.counted(b'{"message":"too large"}', "413 Content Too Large", Connection="close"))

        server = threading.Thread(target=refuse, daemon=True)
        server.start()
        [exchange] = ask(Ask(f"http://127.0.0.1:{listener.getsockname()[1]}", text="words " * 850_000))
        server.join(10)
    assert (exchange.failure, exchange.http_status) == (Word.TOO_LONG, 413)

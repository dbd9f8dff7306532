"""Every way a request can fail, made by a raw server over a real socket: exactly that word, with and without gevent."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fmbench.core.failures import FailureKind
from fmbench.core.records import Exchange
from fmbench.simulator.tls import make_authority
from tests.bedrock import by_hand
from tests.bedrock.asking import PROMPT, Ask, here, patched_process
from tests.bedrock.scripted_server import Request, Script, Scripted, reset, scripted

Asker = Callable[[Ask], list[Exchange]]
CONVERSE = {"id": "us.amazon.nova-lite-v1:0", "api": "converse"}


@pytest.fixture(scope="module")
def patched() -> Iterator[Asker]:
    with patched_process() as process:
        yield process


@pytest.fixture(params=["plain", "gevent"])
def ask(request: pytest.FixtureRequest) -> Asker:
    return here if request.param == "plain" else request.getfixturevalue("patched")


def sends(*pieces: bytes) -> Script:
    """Send and keep the connection."""

    def script(connection: socket.socket, request: Request) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return script


def closes(*pieces: bytes) -> Script:
    """Send, then close."""

    def script(connection: socket.socket, request: Request) -> None:
        sends(*pieces)(connection, request)
        connection.close()

    return script


def resets(*pieces: bytes) -> Script:
    """Send, give it time to be read, then reset."""

    def script(connection: socket.socket, request: Request) -> None:
        sends(*pieces)(connection, request)
        time.sleep(0.2)  # an RST throws away what has not been read
        reset(connection)

    return script


def aws_error(status: str, code: str, message: str) -> bytes:
    body = json.dumps({"message": message}).encode()
    return by_hand.counted(body, status, x_amzn_ErrorType=f"{code}:http://internal.amazon.com/coral/", x_amzn_RequestId="r1")


def begun(*frames: bytes) -> bytes:
    return by_hand.stream_head() + b"".join(by_hand.chunk(frame) for frame in (by_hand.START, by_hand.text("One"), *frames))


def broken(frame: bytes) -> bytes:
    return frame[:-1] + bytes([frame[-1] ^ 1])


frames = by_hand.answer_frames()
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>sorry</body></html>"

BEFORE: list[tuple[str, Script, FailureKind, int | None]] = [
    ("requests", sends(aws_error("429 T", "ThrottlingException", "Too many requests, please wait before trying again.")), FailureKind.THROTTLED_REQUESTS, 429),
    ("rate", sends(aws_error("429 T", "ThrottlingException", "Your request rate is too high. Reduce the frequency of requests.")), FailureKind.THROTTLED_REQUESTS, 429),
    ("tokens", sends(aws_error("429 T", "ThrottlingException", "Too many tokens, please wait before trying again.")), FailureKind.THROTTLED_TOKENS, 429),
    ("daily", sends(aws_error("429 T", "ThrottlingException", "Too many tokens per day, please wait before trying again.")), FailureKind.THROTTLED_DAILY, 429),
    ("throttled", sends(aws_error("429 T", "ThrottlingException", "Rate exceeded")), FailureKind.THROTTLED, 429),
    ("not ready", sends(aws_error("429 T", "ModelNotReadyException", "The model is not ready.")), FailureKind.MODEL_NOT_READY, 429),
    ("model timeout", sends(aws_error("408 T", "ModelTimeoutException", "The request took too long.")), FailureKind.MODEL_TIMEOUT, 408),
    ("model error", sends(aws_error("424 T", "ModelErrorException", "The model failed.")), FailureKind.MODEL_ERROR, 424),
    ("stream error", sends(aws_error("424 T", "ModelStreamErrorException", "Streaming failed.")), FailureKind.MODEL_STREAM_ERROR, 424),
    ("internal", sends(aws_error("500 T", "InternalServerException", "unexpected")), FailureKind.INTERNAL, 500),
    ("unavailable", sends(aws_error("503 T", "ServiceUnavailableException", "try later")), FailureKind.SERVICE_UNAVAILABLE, 503),
    ("validation", sends(aws_error("400 T", "ValidationException", "The provided model identifier is invalid.")), FailureKind.VALIDATION, 400),
    ("quota", sends(aws_error("400 T", "ServiceQuotaExceededException", "over quota")), FailureKind.QUOTA, 400),
    ("denied", sends(aws_error("403 T", "AccessDeniedException", "You don't have access to the model.")), FailureKind.ACCESS_DENIED, 403),
    ("wrong key", sends(aws_error("403 T", "UnrecognizedClientException", "The security token included in the request is invalid.")), FailureKind.ACCESS_DENIED, 403),
    ("expired", sends(aws_error("403 T", "ExpiredTokenException", "The security token included in the request is expired")), FailureKind.EXPIRED_CREDENTIALS, 403),
    ("not found", sends(aws_error("404 T", "ResourceNotFoundException", "no such model")), FailureKind.NOT_FOUND, 404),
    ("code in body", sends(by_hand.counted(b'{"__type":"com.amazon#ThrottlingException","message":"Too many tokens"}', "400 T")), FailureKind.THROTTLED_TOKENS, 400),
    ("strange code", sends(aws_error("418 T", "TeapotException", "short and stout")), FailureKind.UNKNOWN, 418),
    ("html 503", sends(by_hand.counted(HTML, "503 T", "text/html")), FailureKind.SERVICE_UNAVAILABLE, 503),
    ("html 200", sends(by_hand.counted(HTML, "200 OK", "text/html")), FailureKind.BAD_RESPONSE, 200),
    ("wrong type", sends(by_hand.counted(b'{"message":"hello"}')), FailureKind.BAD_RESPONSE, 200),
    ("redirect", sends(by_hand.counted(b"", "302 Found", "text/html", Location="http://127.0.0.1:1/")), FailureKind.BAD_RESPONSE, 302),
    ("not http", sends(b"220 smtp ready\r\n"), FailureKind.BAD_RESPONSE, None),
    ("closed", closes(), FailureKind.RESET_BEFORE_RESPONSE, None),
    ("reset", resets(), FailureKind.RESET_BEFORE_RESPONSE, None),
    ("closed in head", closes(b"HTTP/1.1 200 OK\r\nConte"), FailureKind.RESET_BEFORE_RESPONSE, None),
]  # fmt: skip

WITHIN: list[tuple[str, Script, FailureKind]] = [
    ("throttled", sends(begun(by_hand.exception("throttlingException", "Too many tokens")) + by_hand.LAST_CHUNK), FailureKind.THROTTLED_IN_STREAM),
    ("stream error", sends(begun(by_hand.exception("modelStreamErrorException", "oh")) + by_hand.LAST_CHUNK), FailureKind.MODEL_STREAM_ERROR),
    ("internal", sends(begun(by_hand.exception("internalServerException", "oh")) + by_hand.LAST_CHUNK), FailureKind.INTERNAL),
    ("unavailable", sends(begun(by_hand.exception("serviceUnavailableException", "oh")) + by_hand.LAST_CHUNK), FailureKind.SERVICE_UNAVAILABLE),
    ("validation", sends(begun(by_hand.exception("validationException", "oh")) + by_hand.LAST_CHUNK), FailureKind.VALIDATION),
    ("model timeout", sends(begun(by_hand.exception("modelTimeoutException", "oh")) + by_hand.LAST_CHUNK), FailureKind.MODEL_TIMEOUT),
    ("error frame", sends(begun(by_hand.error("InternalFailure", "oh"))), FailureKind.INTERNAL),
    ("not modelled", sends(begun(by_hand.exception("newException", "oh"))), FailureKind.UNKNOWN),
    ("reset", resets(begun()), FailureKind.RESET_IN_STREAM),
    ("no last chunk", closes(begun()), FailureKind.RESET_IN_STREAM),
    ("clean early end", sends(begun() + by_hand.LAST_CHUNK), FailureKind.TRUNCATED),
    ("no messageStop", sends(begun(by_hand.metadata()) + by_hand.LAST_CHUNK), FailureKind.TRUNCATED),
    ("cut frame", sends(begun(by_hand.text("abc")[:40]) + by_hand.LAST_CHUNK), FailureKind.TRUNCATED),
    ("cut frame, closed", closes(begun() + by_hand.chunk(by_hand.text("abc"))[:40]), FailureKind.TRUNCATED),
    ("no usage", sends(begun(by_hand.stop()) + by_hand.LAST_CHUNK), FailureKind.NO_USAGE),
    ("bad message crc", sends(begun(broken(by_hand.text("x")), by_hand.stop())), FailureKind.CORRUPT_FRAME),
    ("bad prelude crc", sends(begun(b"\x00\x00\x00\x20\x00\x00\x00\x08" + bytes(24))), FailureKind.CORRUPT_FRAME),
    ("bad chunk", sends(begun() + b"zz\r\n"), FailureKind.BAD_RESPONSE),
    ("delta not JSON", sends(by_hand.stream_head() + by_hand.chunk(by_hand.START + by_hand.frame({":event-type": "messageStop", ":message-type": "event"}, b"{"))), FailureKind.BAD_RESPONSE),
    ("content after stop", sends(begun(by_hand.stop(), by_hand.text("more"))), FailureKind.BAD_RESPONSE),
    ("guardrail", sends(begun(by_hand.stop("guardrail_intervened"), by_hand.metadata()) + by_hand.LAST_CHUNK), FailureKind.GUARDRAIL),
]  # fmt: skip


@pytest.mark.parametrize(("script", "word", "status"), [pytest.param(*row[1:], id=row[0]) for row in BEFORE])
def test_a_failure_before_the_answer(ask: Asker, script: Script, word: FailureKind, status: int | None) -> None:
    with scripted(script) as server:
        [exchange] = ask(Ask(server.url))
    assert exchange.failure == word
    assert exchange.http_status == status
    assert exchange.sent_ns is not None and exchange.message
    assert exchange.content_ns == [] and exchange.usage.output_tokens is None
    assert len(server.requests) == 1


@pytest.mark.parametrize(("script", "word"), [pytest.param(*row[1:], id=row[0]) for row in WITHIN])
def test_a_failure_within_the_answer_keeps_what_came_before_it(ask: Asker, script: Script, word: FailureKind) -> None:
    with scripted(script) as server:
        [exchange] = ask(Ask(server.url))
    assert exchange.failure == word
    assert (exchange.http_status, exchange.request_id) == (200, "4b0e")
    assert exchange.sent_ns is not None and exchange.headers_ns is not None
    assert exchange.ended_ns >= (exchange.last_content_ns or 0) > 0 or "JSON" in str(exchange.message)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (by_hand.counted(b"{"), FailureKind.BAD_RESPONSE),
        (by_hand.counted(b"[]"), FailureKind.BAD_RESPONSE),
        (by_hand.counted(b'{"output":{}}'), FailureKind.BAD_RESPONSE),
        (by_hand.counted(HTML, content_type="text/html"), FailureKind.BAD_RESPONSE),
        (by_hand.counted(b'{"stopReason":"end_turn"}'), FailureKind.NO_USAGE),
        (by_hand.counted(b'{"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1}}'), None),
        (by_hand.counted(b'{"stopReason":"guardrail_intervened","usage":{"outputTokens":1}}'), FailureKind.GUARDRAIL),
    ],
)
def test_a_body_that_is_no_answer(ask: Asker, answer: bytes, word: FailureKind | None) -> None:
    with scripted(sends(answer)) as server:
        [exchange] = ask(Ask(server.url, model=CONVERSE))
    assert exchange.failure == word


def test_a_body_before_its_length_is_truncated(ask: Asker) -> None:
    with scripted(closes(by_hand.counted(b'{"stopReason":"end_turn"}')[:-3])) as server:
        [exchange] = ask(Ask(server.url, model=CONVERSE))
    assert exchange.failure == FailureKind.TRUNCATED


def stalls(*pieces: bytes) -> Callable[[Scripted], None]:
    """Send, then say nothing more until the server ends."""

    def arm(server: Scripted) -> None:
        def script(connection: socket.socket, request: Request) -> None:
            sends(*pieces)(connection, request)
            server.stop.wait(30)

        server.script = script

    return arm


@pytest.mark.parametrize(
    ("pieces", "timeouts", "word", "limit"),
    [
        ((), {"first_byte_s": 0.4}, FailureKind.TIMEOUT_FIRST_BYTE, 0.4),
        ((), {"total_s": 0.3}, FailureKind.TIMEOUT_TOTAL, 0.3),
        ((begun(),), {"between_bytes_s": 0.4}, FailureKind.TIMEOUT_BETWEEN_BYTES, 0.4),
        ((begun(),), {"total_s": 0.4}, FailureKind.TIMEOUT_TOTAL, 0.4),
    ],
)
def test_silence_ends_at_the_deadline_of_its_phase(
    ask: Asker, pieces: tuple[bytes, ...], timeouts: dict[str, float], word: FailureKind, limit: float
) -> None:
    with scripted(sends()) as server:
        stalls(*pieces)(server)
        [exchange] = ask(Ask(server.url, timeouts=timeouts))
    assert exchange.failure == word
    assert exchange.sent_ns is not None
    assert limit <= (exchange.ended_ns - exchange.sent_ns) / 1e9 < limit + 2
    assert len(exchange.content_ns) == (1 if pieces else 0)


def test_an_endpoint_that_drips_ends_at_the_deadline_in_all(ask: Asker) -> None:
    answer = by_hand.streamed(frames)

    def script(connection: socket.socket, request: Request) -> None:
        for place in range(len(answer)):
            connection.sendall(answer[place : place + 1])
            time.sleep(0.05)

    with scripted(script) as server:
        [exchange] = ask(Ask(server.url, timeouts={"total_s": 0.8, "between_bytes_s": 0.5, "first_byte_s": 0.5}))
    assert exchange.failure == FailureKind.TIMEOUT_TOTAL
    assert exchange.sent_ns is not None
    assert 0.8 <= (exchange.ended_ns - exchange.sent_ns) / 1e9 < 3


def test_a_whole_answer_stays_whole_when_its_last_chunk_is_lost(ask: Asker) -> None:
    with scripted(closes(by_hand.streamed(frames)[: -len(by_hand.LAST_CHUNK)])) as server:
        [exchange] = ask(Ask(server.url))
    assert exchange.failure is None
    assert exchange.usage.output_tokens == 3


def test_nobody_listens(ask: Asker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    [exchange] = ask(Ask(f"http://127.0.0.1:{port}"))
    assert (exchange.failure, exchange.sent_ns, exchange.connect_s) == (FailureKind.CONNECT, None, None)


def test_a_name_that_is_not_there(ask: Asker) -> None:
    [exchange] = ask(Ask("http://no-such-host.invalid:8080"))
    assert (exchange.failure, exchange.sent_ns) == (FailureKind.DNS, None)


def test_nobody_accepts(ask: Asker) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        time.sleep(0.05)
        [exchange] = ask(Ask(f"http://127.0.0.1:{address[1]}", timeouts={"connect_s": 0.3}))
        for each in waiting:
            each.close()
    assert exchange.failure == FailureKind.TIMEOUT_CONNECT


def test_an_endpoint_without_tls_where_tls_is_asked(ask: Asker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        [exchange] = ask(Ask(f"https://127.0.0.1:{listener.getsockname()[1]}"))
        listener.shutdown(socket.SHUT_RDWR)
    assert (exchange.failure, exchange.sent_ns) == (FailureKind.TLS, None)


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


def test_certificates_are_checked(ask: Asker, tmp_path: Path) -> None:
    authority, context = make_authority(tmp_path, "127.0.0.1")
    with scripted(sends(by_hand.streamed(frames)), context) as server:
        [trusted] = ask(Ask(server.url, ca_bundle=str(authority)))
        [unknown] = ask(Ask(server.url))
    assert trusted.failure is None and trusted.connect_s is not None
    assert (unknown.failure, unknown.sent_ns) == (FailureKind.TLS, None)

"""TLS between the caller and its endpoint: whom it trusts, and what becomes of an answer when TLS breaks."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from fmbench.core.failures import FailureKind as Word
from fmbench.simulator.tls import make_authority
from tests.bedrock import by_hand
from tests.bedrock.asking import Ask, Asker, here
from tests.bedrock.scripted_server import Request, scripted
from tests.wire.scripts import begun, sends

FRAMES = by_hand.answer_frames()


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
    assert (exchange.failure, exchange.sent_ns) == (Word.TLS, None)


def test_certificates_are_checked(ask: Asker, tmp_path: Path) -> None:
    authority, context = make_authority(tmp_path, "127.0.0.1")
    with scripted(sends(by_hand.streamed(FRAMES)), context) as server:
        [trusted] = ask(Ask(server.url, ca_bundle=str(authority)))
        [unknown] = ask(Ask(server.url))
    assert trusted.failure is None and trusted.connect_s is not None
    assert (unknown.failure, unknown.sent_ns) == (Word.TLS, None)


def test_a_certificate_for_another_name_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: resolve("127.0.0.1", *rest, **named))
    authority, context = make_authority(tmp_path, "127.0.0.1")
    with scripted(sends(by_hand.streamed(FRAMES)), context) as server:
        port = server.url.rpartition(":")[2]
        [right] = here(Ask(f"https://localhost:{port}", ca_bundle=str(authority)))
        [wrong] = here(Ask(f"https://bedrock.example:{port}", ca_bundle=str(authority)))
    assert right.failure is None
    assert (wrong.failure, wrong.sent_ns) == (Word.TLS, None)


@pytest.mark.parametrize(("pieces", "word", "contents"), [((begun(),), Word.TLS, 1), ((by_hand.streamed(FRAMES),), None, 3)])
def test_what_tls_said_before_it_broke_is_kept(
    ask: Asker, tmp_path: Path, pieces: tuple[bytes, ...], word: Word | None, contents: int
) -> None:
    """Sound records and one that is none come in one segment, and the connection stays open."""

    def script(connection: socket.socket, request: Request) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        sends(*pieces)(connection, request)
        os.write(connection.fileno(), by_hand.NO_RECORD)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    authority, context = make_authority(tmp_path, "127.0.0.1")
    with scripted(script, context) as server:
        [exchange] = ask(Ask(server.url, str(authority), timeouts={"between_bytes_s": 5}))
    assert (exchange.failure, len(exchange.content_ns)) == (word, contents)

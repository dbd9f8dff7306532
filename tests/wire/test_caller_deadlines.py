"""A silent or dripping endpoint, over a real socket: each phase ends at its deadline, with that word, with and without gevent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from fmbench.core.failures import FailureKind as Word
from tests.bedrock import by_hand
from tests.bedrock.asking import Ask, Asker
from tests.bedrock.scripted_server import Request, Scripted, scripted
from tests.wire.scripts import begun, sends


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
        ((), {"first_byte_s": 0.4}, Word.TIMEOUT_FIRST_BYTE, 0.4),
        ((), {"total_s": 0.3}, Word.TIMEOUT_TOTAL, 0.3),
        ((begun(),), {"between_bytes_s": 0.4}, Word.TIMEOUT_BETWEEN_BYTES, 0.4),
        ((begun(),), {"total_s": 0.4}, Word.TIMEOUT_TOTAL, 0.4),
    ],
)
def test_silence_ends_at_the_deadline_of_its_phase(
    ask: Asker, pieces: tuple[bytes, ...], timeouts: dict[str, float], word: Word, limit: float
) -> None:
    with scripted(sends()) as server:
        stalls(*pieces)(server)
        [exchange] = ask(Ask(server.url, timeouts=timeouts))
    assert exchange.failure == word
    assert exchange.sent_ns is not None
    assert limit <= (exchange.ended_ns - exchange.sent_ns) / 1e9 < limit + 2
    assert len(exchange.content_ns) == (1 if pieces else 0)


def test_the_wait_between_bytes_is_limited_however_late_the_first_came(ask: Asker) -> None:
    over = threading.Event()

    def script(connection: socket.socket, request: Request) -> None:
        time.sleep(0.5)
        connection.sendall(begun())
        over.wait(8)

    with scripted(script) as server:
        [exchange] = ask(Ask(server.url, timeouts={"between_bytes_s": 0.3, "first_byte_s": 6}))
        over.set()
    assert exchange.failure == Word.TIMEOUT_BETWEEN_BYTES
    assert exchange.sent_ns is not None
    assert 0.8 <= (exchange.ended_ns - exchange.sent_ns) / 1e9 < 4


def test_an_endpoint_that_drips_ends_at_the_deadline_in_all(ask: Asker) -> None:
    answer = by_hand.streamed(by_hand.answer_frames())

    def script(connection: socket.socket, request: Request) -> None:
        for place in range(len(answer)):
            connection.sendall(answer[place : place + 1])
            time.sleep(0.05)

    with scripted(script) as server:
        [exchange] = ask(Ask(server.url, timeouts={"total_s": 0.8, "between_bytes_s": 0.5, "first_byte_s": 0.5}))
    assert exchange.failure == Word.TIMEOUT_TOTAL
    assert exchange.sent_ns is not None
    assert 0.8 <= (exchange.ended_ns - exchange.sent_ns) / 1e9 < 3

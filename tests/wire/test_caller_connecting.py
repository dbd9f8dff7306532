"""An endpoint that cannot be connected to: the word for why, and nothing sent, with and without gevent."""

from __future__ import annotations

import socket

from fmbench.core.failures import FailureKind as Word
from tests.bedrock.asking import Ask, Asker
from tests.support.tcp import wait_until_waiting


def test_nobody_listens(ask: Asker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    [exchange] = ask(Ask(f"http://127.0.0.1:{port}"))
    assert (exchange.failure, exchange.sent_ns, exchange.connect_s) == (Word.CONNECT, None, None)


def test_a_name_that_is_not_there(ask: Asker) -> None:
    [exchange] = ask(Ask("http://no-such-host.invalid:8080"))
    assert (exchange.failure, exchange.sent_ns) == (Word.DNS, None)


def test_nobody_accepts(ask: Asker) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        wait_until_waiting(listener, 1)
        [exchange] = ask(Ask(f"http://127.0.0.1:{address[1]}", timeouts={"connect_s": 0.3}))
        for each in waiting:
            each.close()
    assert exchange.failure == Word.TIMEOUT_CONNECT

"""What the witness holds is let go, although it hears of it late."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from fmbench.bedrock.watching import Watch, watch
from tests.bedrock import by_hand
from tests.bedrock.asking import SALT, Ask, caller_for, prompt
from tests.bedrock.scripted_server import Request, scripted

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the witness is Linux's")

MANY = 60


def _until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.002)


def _is_over(peer: socket.socket) -> bool:
    try:
        return peer.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def test_sockets_that_are_closed_faster_than_the_witness_hears_of_it_are_let_go_all_the_same() -> None:
    watcher = Watch()
    watcher._control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # a few messages wait, of hundreds otherwise
    witness = psutil.Process(watcher.pid)
    one, *pairs = [socket.socketpair() for _ in range(MANY)]
    for pair in pairs:
        _until(lambda pair=pair: watcher.take(pair[0]))  # type: ignore[misc]
    witness.suspend()
    for own, _ in pairs:
        watcher.forget(own.fileno())
        own.close()
    witness.resume()

    def let_go() -> bool:
        watcher.look(one[0].fileno(), 1)  # as the next request does
        return all(_is_over(peer) for _, peer in pairs)

    _until(let_go)
    for _, peer in pairs:
        peer.close()
    for end in one:
        end.close()
    watcher._control.close()


def test_a_peer_hears_of_the_end_while_the_witness_is_kept_from_the_processor() -> None:
    witness = watch()
    assert witness is not None
    said: list[bytes] = []

    def answer(connection: socket.socket, request: Request) -> None:
        connection.sendall(by_hand.streamed(by_hand.answer_frames()))
        connection.settimeout(10)
        said.append(connection.recv(1))

    with scripted(answer) as server:
        caller = caller_for(Ask(server.url))
        assert caller.call(caller.prepare(prompt(), salted=True), SALT).failure is None
        process = psutil.Process(witness.pid)
        process.suspend()
        try:
            caller.close()
            _until(lambda: said == [b""])
        finally:
            process.resume()

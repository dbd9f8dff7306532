"""The endpoint's HTTP: however the bytes of a request come, the same request is answered, and one answer after the other."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmbench.simulator.http import Connection, Request, answer
from tests.support.simulator import Endpoint, running

FAST = {"profile": {"ttft_s": 0.0, "tpot_s": 0.0}}
BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 2}}).encode()


def post(path: str = "/model/m/converse", body: bytes = BODY, more: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


class KeptWire:
    """What was written, in memory."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close


def connection_with(wire: KeptWire) -> tuple[Connection, list[Request]]:
    """A connection that answers each request with its own body at once."""
    seen: list[Request] = []

    def handle(connection: Connection, request: Request) -> None:
        seen.append(request)
        connection.write(answer(200, {}, request.body))
        connection.finish(request.keep_alive)

    connection = Connection(handle, 1, lambda: None)
    with closing(socket.socket()) as unused:
        connection.attach(wire, unused)
    return connection, seen


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.lists(st.integers(1, 60), min_size=1))
def test_any_chunking_gives_the_same_requests(bodies, sizes):
    wire = KeptWire()
    connection, seen = connection_with(wire)
    stream = b"".join(post(f"/model/{number}/invoke", body) for number, body in enumerate(bodies))
    place = turn = 0
    while place < len(stream):
        size = sizes[turn % len(sizes)]
        connection.data_received(stream[place : place + size])
        place, turn = place + size, turn + 1
    assert [request.body for request in seen] == bodies
    assert [request.target for request in seen] == [f"/model/{number}/invoke" for number in range(len(bodies))]
    assert wire.written == b"".join(answer(200, {}, body) for body in bodies)
    assert all(request.first_byte_ns <= request.complete_ns for request in seen)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 25000001\r\n\r\n", 413),
        (b"x" * 70_000, 431),
    ],
)
def test_what_is_no_request_ends_the_connection(sent, status):
    wire = KeptWire()
    connection, seen = connection_with(wire)
    connection.data_received(sent)
    assert wire.written.startswith(f"HTTP/1.1 {status} ".encode())
    assert (wire.closed, seen) == (True, [])


@pytest.fixture(scope="module")
def one_endpoint():
    with running(FAST | {"models": {"slow": {"ttft_s": 0.2}}}) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(one_endpoint):
    one_endpoint.reset()
    return one_endpoint


def connect(endpoint: Endpoint) -> socket.socket:
    host, port = endpoint.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def read_until_closed(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(65_536):
        received += data
    return received


def test_pipelined_requests_are_answered_in_order(endpoint):
    with connect(endpoint) as connection:
        connection.sendall(post("/model/slow/converse") + post("/model/quick/converse", more="Connection: close\r\n"))
        answers = read_until_closed(connection)
    rows = endpoint.settled(2)
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert [row["model"] for row in rows] == ["slow", "quick"]
    assert answers.index(rows[0]["request_id"].encode()) < answers.index(rows[1]["request_id"].encode())


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(endpoint):
    head, body = post(more="Expect: 100-continue\r\nConnection: close\r\n").split(b"\r\n\r\n", 1)
    with connect(endpoint) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read_until_closed(connection).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_goes_away_is_noted(endpoint):
    with connect(endpoint) as connection:
        connection.sendall(post("/model/slow/converse-stream"))
        connection.recv(100)
    (row,) = endpoint.settled(1)
    assert (row["client_gone"], row["completed"], row["output_tokens"]) == (True, False, None)


def test_pages_of_its_own_are_no_requests(endpoint):
    assert endpoint.counts()["requests"] == 0
    with connect(endpoint) as connection:
        connection.sendall(b"GET /_simulator/nothing HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert read_until_closed(connection).startswith(b"HTTP/1.1 404 ")
    assert endpoint.ledger() == []

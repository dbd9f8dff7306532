"""Connections: reused after whole answers, replaced when the server has dropped them, closed when a greenlet is killed."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmbench.bedrock.connections import Connections
from fmbench.core.failures import FailureKind
from fmbench.simulator.tls import make_authority
from tests.bedrock import by_hand
from tests.bedrock.asking import SALT, Ask, caller_for, here, patched_process, prompt
from tests.bedrock.scripted_server import Request, Scripted, scripted
from tests.support.tcp import wait_until_closed_by_server

ANSWER = by_hand.streamed(by_hand.answer_frames())

KILLED = """
from gevent import monkey; monkey.patch_all()
import json, sys, gevent
from tests.bedrock.asking import *
caller = caller_for(Ask(sys.argv[1], timeouts={"total_s": 30}))
prepared = caller.prepare(prompt(), salted=True)
greenlet = gevent.spawn(caller.call, prepared, SALT)
gevent.get_hub().threadpool.apply(sys.stdin.readline)
greenlet.kill(block=True, timeout=5)
print(json.dumps([type(greenlet.value).__name__, greenlet.dead]), flush=True)
sys.stdin.readline()
"""


def answers(connection: socket.socket, request: Request) -> None:
    connection.sendall(ANSWER)


def wait_for(condition: object, within_s: float = 10.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("tls", [False, True])
def test_a_whole_answer_leaves_its_connection_for_the_next(tls: bool, tmp_path: Path) -> None:
    authority, context = make_authority(tmp_path, "127.0.0.1") if tls else (None, None)
    with scripted(answers, context) as server:
        caller = caller_for(Ask(server.url, authority and str(authority)))
        prepared = caller.prepare(prompt(), salted=True)
        exchanges = [caller.call(prepared, SALT) for _ in range(5)]
        caller.close()
    assert [exchange.failure for exchange in exchanges] == [None] * 5
    assert {request.connection for request in server.requests} == {0}
    assert [exchange.connect_s is None for exchange in exchanges] == [False, True, True, True, True]


@pytest.mark.parametrize("tls", [False, True])
def test_a_connection_that_the_server_dropped_is_not_used_again(tls: bool, tmp_path: Path) -> None:
    def answer_once(connection: socket.socket, request: Request) -> None:
        connection.sendall(ANSWER)
        connection.close()

    authority, context = make_authority(tmp_path, "127.0.0.1") if tls else (None, None)
    with scripted(answer_once, context) as server:
        caller = caller_for(Ask(server.url, authority and str(authority)))
        prepared = caller.prepare(prompt(), salted=True)
        for number in range(3):
            exchange = caller.call(prepared, SALT)
            assert exchange.failure is None and exchange.connect_s is not None, number
            wait_until_closed_by_server(server.port)
        caller.close()
    assert [request.connection for request in server.requests] == [0, 1, 2]


def test_many_at_once_take_no_more_connections_than_users() -> None:
    with scripted(answers) as server, patched_process() as ask:
        exchanges = ask(Ask(server.url, times=8))
    assert [exchange.failure for exchange in exchanges] == [None] * 8
    assert len({request.connection for request in server.requests}) <= 8


def test_a_killed_greenlet_closes_its_connection() -> None:
    closed: list[bytes] = []

    def hang(connection: socket.socket, request: Request) -> None:
        connection.sendall(by_hand.stream_head() + by_hand.chunk(by_hand.START + by_hand.text("One")))
        closed.append(connection.recv(100))

    with scripted(hang) as server:
        command = [sys.executable, "-c", KILLED, server.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None and process.stdout is not None
            wait_for(lambda: len(server.requests) == 1)
            process.stdin.write("kill\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == ["GreenletExit", True]
            wait_for(lambda: closed == [b""])
            process.stdin.close()


def test_connecting_costs_no_latency() -> None:
    """The server is slow to greet a TLS client: that is in ``connect_s``, and in nothing else."""
    import ssl
    import tempfile

    class SlowHandshake(ssl.SSLContext):
        def wrap_socket(self, *args: object, **named: object) -> ssl.SSLSocket:  # type: ignore[override]
            time.sleep(0.3)
            return super().wrap_socket(*args, **named)  # type: ignore[arg-type]

    with tempfile.TemporaryDirectory() as folder:
        authority, _ = make_authority(Path(folder), "127.0.0.1")
        context = SlowHandshake(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(folder) / "server.pem", Path(folder) / "server.key")
        with scripted(answers, context) as server:
            caller = caller_for(Ask(server.url, str(authority)))
            exchange = caller.call(caller.prepare(prompt(), salted=True), SALT)
            caller.close()
    assert exchange.connect_s is not None and exchange.connect_s >= 0.3
    assert exchange.sent_ns is not None and exchange.first_content_ns is not None
    assert exchange.sent_ns - exchange.started_ns >= 0.3e9
    assert (exchange.first_content_ns - exchange.sent_ns) / 1e9 < exchange.connect_s


def test_a_prompt_of_megabytes_goes_out_whole() -> None:
    text = "words and more words " * 150_000

    def check(connection: socket.socket, request: Request) -> None:
        body = json.loads(request.body)
        assert body["messages"][0]["content"][0]["text"].endswith(text)
        connection.sendall(ANSWER)

    with scripted(check) as server, patched_process() as ask:
        [exchange] = ask(Ask(server.url, text=text))
    assert exchange.failure is None


_LOOKS_UP = """
from gevent import monkey; monkey.patch_all()
import gevent, json, socket, types
from fmbench.bedrock import wait_gevent
threads = []
def apply(what, args, options):
    threads.append(args[0])
    return what(*args, **options)
gevent.get_hub().resolver.pool = types.SimpleNamespace(apply=apply)
found = [socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)[0][4][0] for host in ("127.0.0.1", "::1", "localhost")]
print(json.dumps([found[:2], threads]))
"""


def test_only_names_are_looked_up_by_a_thread() -> None:
    done = subprocess.run([sys.executable, "-c", _LOOKS_UP], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [["127.0.0.1", "::1"], ["localhost"]]


def test_the_private_names_of_botocore_are_there() -> None:
    with scripted(answers) as server:
        connections: Connections = caller_for(Ask(server.url))._connections
        connection = connections.take()
        assert connection.is_closed
        assert connections.open(connection, 5.0) > 0
        assert connections.target(f"{server.url}/model/a%3A0/converse?x=1") == "/model/a%3A0/converse?x=1"
        connections.give_back(connection)
        assert connections.take() is connection
        connection.close()
    assert isinstance(server, Scripted)


def test_a_proxy_that_forwards_is_told_its_password_as_botocore_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7617: base64 of ``user:p@ss``, once a request, outside the signature."""

    def answer(connection: socket.socket, request: Request) -> None:
        connection.sendall(by_hand.streamed(by_hand.answer_frames()))

    with scripted(answer) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//user:p%40ss@"))
        first, second = here(Ask("http://bedrock.example.test", times=2))
    assert (first.failure, second.failure) == (None, None)
    for request in proxy.requests:
        assert request.head.startswith("POST http://bedrock.example.test/model/")
        assert request.head.count("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n") == 1
        assert "proxy-authorization" not in request.head.partition("SignedHeaders=")[2].partition(",")[0]


def test_a_proxy_that_wants_another_password_is_no_failure_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = by_hand.counted(b"<html>no</html>", "407 Proxy Authentication Required", "text/html", Proxy_Authenticate="Basic")
    with scripted(lambda connection, request: connection.sendall(refusal)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//user:hunter2@"))
        (plain,) = here(Ask("http://bedrock.example.test"))
    assert plain.failure is FailureKind.PROXY_REFUSED and "hunter2" not in (plain.message or "")


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", FailureKind.PROXY_REFUSED),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", FailureKind.PROXY_REFUSED),
        (b"HTTP/1.1 302 Found\r\nLocation: http://login.example.test/\r\nContent-Length: 0\r\n\r\n", FailureKind.PROXY_REFUSED),
        (b"SSH-2.0-OpenSSH_9.6\r\n", FailureKind.PROXY_REFUSED),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", FailureKind.CONNECT),
        (b"", FailureKind.CONNECT),
    ],
    ids=["denies", "password", "login", "no HTTP", "cannot reach", "nothing"],
)
def test_what_a_proxy_answers_to_a_tunnel_is_the_proxy_s(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, word: FailureKind
) -> None:
    """CONNECT is asked of nobody but the proxy: what it refuses is its refusal, and what it cannot reach is not there."""

    def say(connection: socket.socket, request: Request) -> None:
        connection.sendall(answer)
        connection.close()

    with scripted(say) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:hunter2@"))
        (found,) = here(Ask("https://bedrock.example.test"))
    assert found.failure is word and "hunter2" not in (found.message or "")


def test_a_proxy_that_speaks_tls_is_trusted_by_the_bundle_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it answers is read, so that its certificate was taken: the bundle is of an authority that nobody else knows."""
    authority, context = make_authority(tmp_path, "127.0.0.1")
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with scripted(lambda connection, request: connection.sendall(refusal), context) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        (found,) = here(Ask("https://bedrock.example.test", str(authority)))
    assert found.failure is FailureKind.PROXY_REFUSED
    assert [request.head.split()[:2] for request in proxy.requests] == [["CONNECT", "bedrock.example.test:443"]]

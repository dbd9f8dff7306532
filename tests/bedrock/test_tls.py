"""TLS over bytes that are read elsewhere, against OpenSSL's own server."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from fmbench.bedrock.tls import Tls
from fmbench.simulator.tls import make_authority
from tests.bedrock.by_hand import NO_RECORD

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl's program is not installed")

REQUEST_NEW_KEYS = "K\n"
"""What ``openssl s_server`` takes for new keys in both directions. https://docs.openssl.org/3.0/man1/openssl-s_server/"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def _server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Tls]]:
    """OpenSSL's server, and a connection to it."""
    authority, _ = make_authority(folder, "127.0.0.1")
    port = _free_port()
    command = [
        "openssl",
        "s_server",
        "-accept",
        f"127.0.0.1:{port}",
        "-cert",
        folder / "server.pem",
        "-key",
        folder / "server.key",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            while "ACCEPT" not in server.stdout.readline():
                pass
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.settimeout(20)
                yield server, Tls(connection, ssl.create_default_context(cafile=str(authority)), "127.0.0.1")
        finally:
            server.kill()


def _type(server: subprocess.Popen[str], line: str) -> None:
    """A line to the server's terminal: it takes commands at the beginning of what it reads at once."""
    assert server.stdin is not None
    server.stdin.write(line)
    server.stdin.flush()


def _read_until(tls: Tls, wanted: bytes, at_a_time: int) -> bytes:
    said = b""
    while wanted not in said:
        data = tls.socket.recv(at_a_time)
        assert data
        said += tls.opened(data)
    return said


@pytest.mark.parametrize("at_a_time", [1, 7, 65_536])
def test_records_are_read_however_their_bytes_come(tmp_path: Path, at_a_time: int) -> None:
    with _server(tmp_path) as (server, tls):
        _type(server, "one\n")
        assert _read_until(tls, b"\n", at_a_time) == b"one\n"
        assert not tls.unread


def test_new_keys_are_taken_and_answered(tmp_path: Path) -> None:
    with _server(tmp_path) as (server, tls):
        assert server.stdout is not None
        _type(server, "before\n")
        assert _read_until(tls, b"\n", 65_536) == b"before\n"
        _type(server, REQUEST_NEW_KEYS)
        assert tls.opened(tls.socket.recv(65_536)) == b""
        _type(server, "after\n")
        assert _read_until(tls, b"\n", 65_536) == b"after\n"
        tls.sendall(b"with new keys\n")
        assert any("with new keys" in line for line in iter(server.stdout.readline, ""))


def test_what_a_peer_said_before_it_was_gone_is_kept_though_the_alert_to_it_cannot_be_sent(tmp_path: Path) -> None:
    with _server(tmp_path) as (server, tls):
        _type(server, "before\n")
        assert _read_until(tls, b"\n", 65_536) == b"before\n"  # and what comes with the handshake
        _type(server, "one\n")
        data = tls.socket.recv(65_536)
        tls.socket.shutdown(socket.SHUT_WR)
        assert tls.opened(data + NO_RECORD) == b"one\n"
        assert tls.fault is not None and tls.unread


def test_bytes_that_were_changed_on_their_way_are_an_error(tmp_path: Path) -> None:
    with _server(tmp_path) as (server, tls):
        _type(server, "one\n")
        with pytest.raises(ssl.SSLError):
            while True:
                data = bytearray(tls.socket.recv(65_536))
                data[-1] ^= 1
                tls.opened(bytes(data))


def test_an_end_that_the_peer_announces_is_seen_before_the_connection_is_closed(tmp_path: Path) -> None:
    authority, context = make_authority(tmp_path, "127.0.0.1")
    read = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection = context.wrap_socket(listener.accept()[0], server_side=True)
            connection.sendall(b"last")
            connection.setblocking(False)
            with suppress(ssl.SSLWantReadError):
                connection.unwrap()  # announces the end, and does not wait for the other end's
            read.wait(20)
            connection.close()

        server = threading.Thread(target=serve)
        server.start()
        with socket.create_connection(listener.getsockname()) as connection:
            connection.settimeout(20)
            tls = Tls(connection, ssl.create_default_context(cafile=str(authority)), "127.0.0.1")
            said = b""
            while not tls.over:
                said += tls.opened(tls.socket.recv(65_536))
            read.set()
        server.join(20)
    assert (said, tls.unread) == (b"last", True)

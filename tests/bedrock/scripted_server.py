"""A raw socket server that answers each request by a script: for answers that no sound server gives."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Request:
    """What the client sent."""

    head: str
    body: bytes
    connection: int


Script = Callable[[socket.socket, Request], None]


@dataclass
class Scripted:
    """A running server; ``script`` may be changed between requests."""

    script: Script
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the server ends: scripts that stall wait on it."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_request(connection: socket.socket, buffer: bytearray) -> tuple[str, bytes] | None:
    """The next request's head and body; None when the client has closed."""
    while b"\r\n\r\n" not in buffer:
        data = connection.recv(65536)
        if not data:
            return None
        buffer += data
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(rest) < length:
        rest += connection.recv(65536)
    buffer[:] = rest[length:]
    return head.decode("latin-1"), rest[:length]


@contextmanager
def scripted(script: Script, context: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serve until the block ends; over TLS when there is a ``context``."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    server = Scripted(script)
    server.url = f"{'https' if context else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    open_connections: list[socket.socket] = []

    def serve(plain: socket.socket, number: int) -> None:
        buffer = bytearray()
        with suppress(OSError, ValueError):
            connection = context.wrap_socket(plain, server_side=True) if context else plain
            open_connections.append(connection)
            while (found := read_request(connection, buffer)) is not None:
                request = Request(*found, number)
                server.requests.append(request)
                server.script(connection, request)
            connection.close()

    def accept() -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection, number), daemon=True).start()
                number += 1

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        server.stop.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_connections:
            with suppress(OSError):
                connection.close()

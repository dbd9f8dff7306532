"""A minimal HTTP/1.1 server side: requests with a Content-Length in, bytes out, one answer after the other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from struct import pack
from time import monotonic_ns
from typing import Protocol, cast

MAX_HEAD = 65_536
MAX_BODY = 25_000_000
"""Bedrock's own limit of an InvokeModel body."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    413: "Content Too Large",
    424: "Failed Dependency",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    529: "Overloaded",
}


class Wire(Protocol):
    """What a connection writes to: a transport, or TLS over one."""

    def write(self, data: bytes) -> None:
        """Send ``data`` at once, as far as the socket takes it."""

    def close(self) -> None:
        """Close when everything is sent."""

    def abort(self) -> None:
        """Drop the connection without sending what is left."""


@dataclass(slots=True)
class Request:
    """One request as it came over the wire. Stamps are nanoseconds of ``time.monotonic_ns``."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    first_byte_ns: int
    complete_ns: int

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants to send more on this connection."""
        return self.headers.get("connection", "").lower() != "close"


class BadRequest(Exception):
    """Bytes that are no request this server can read: the connection ends with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def head(status: int, headers: dict[str, str]) -> bytes:
    """The status line and headers of an answer, with the empty line."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """A whole answer of known length."""
    return head(status, {**headers, "content-length": str(len(body))}) + body


@dataclass(slots=True)
class _Head:
    method: str
    target: str
    headers: dict[str, str]
    length: int


def _parse_head(raw: bytes) -> _Head:
    first, *lines = raw.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(400)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return _Head(parts[0], parts[1], headers, _length(headers))


def _length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not text.isdecimal():
        raise BadRequest(400)
    if int(text) > MAX_BODY:
        raise BadRequest(413)
    return int(text)


class Connection(asyncio.Protocol):
    """Reads requests and hands one at a time to ``handle``; the next is read once ``finish`` was called for it.

    ``on_lost`` is called when the client goes away while a request is being answered.
    """

    def __init__(self, handle: Callable[[Connection, Request], None], number: int, on_close: Callable[[], None]) -> None:
        self.number = number
        self.on_lost: Callable[[], None] | None = None
        self._handle = handle
        self._on_close = on_close
        self._wire: Wire | None = None
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._busy = False
        self._advancing = False
        self._first_byte_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write straight through: a high-water mark of 0 makes uvloop send within ``write``."""
        transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=0)
        self.attach(transport, transport.get_extra_info("socket"))

    def attach(self, wire: Wire, connected: socket.socket) -> None:
        """Speak over ``wire``, which runs over the socket ``connected``."""
        self._wire, self._socket = wire, connected

    def data_received(self, data: bytes) -> None:
        """Take bytes from the wire."""
        if not self._buffer and self._head is None:
            self._first_byte_ns = monotonic_ns()
        self._buffer += data
        self._advance()

    def connection_lost(self, error: Exception | None) -> None:
        """The client went away."""
        self._wire = self._socket = None
        self._on_close()
        if self.on_lost is not None:
            self.on_lost()

    @property
    def open(self) -> bool:
        """Whether anything can still be written."""
        return self._wire is not None

    def write(self, data: bytes) -> None:
        """Send ``data`` now; nothing happens when the client is gone."""
        if self._wire is not None:
            self._wire.write(data)

    def finish(self, keep: bool) -> None:
        """The answer is written: go on with the next request, or close."""
        self._busy = False
        self.on_lost = None
        if not keep:
            self.close()
        elif not self._advancing:
            self._advance()

    def close(self) -> None:
        """Close cleanly after what was written."""
        if self._wire is not None:
            self._wire.close()

    def reset(self) -> None:
        """Drop the connection with a TCP reset."""
        if self._wire is None or self._socket is None:
            return
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
        self._wire.abort()

    def _advance(self) -> None:
        self._advancing = True
        try:
            while not self._busy and self._wire is not None and (request := self._next_request()) is not None:
                self._busy = True
                self._handle(self, request)
        except BadRequest as error:
            self.write(answer(error.status, {"connection": "close"}, b""))
            self.close()
        finally:
            self._advancing = False

    def _next_request(self) -> Request | None:
        if self._head is None and not self._read_head():
            return None
        head = self._head
        assert head is not None
        if len(self._buffer) < head.length:
            return None
        body = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        self._head = None
        now = monotonic_ns()
        request = Request(head.method, head.target, head.headers, body, self._first_byte_ns, now)
        self._first_byte_ns = now
        return request

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest(431)
            return False
        self._head = _parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        if self._head.headers.get("expect", "").lower() == "100-continue" and len(self._buffer) < self._head.length:
            self.write(_CONTINUE)
        return True

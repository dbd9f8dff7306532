"""An endpoint that knows by the kernel's own stamps when a request reached it and when the first content left it.

It stands apart from what it is held against: stamps of the other end of the connection, by another of the kernel's options,
and frames made from the specification alone.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.bedrock import by_hand

SO_TIMESTAMPNS, SO_TIMESTAMPING, ERROR_QUEUE = 35, 37, 0x2000
SOFTWARE_SENT = (1 << 1) | (1 << 4) | (1 << 11)
WAIT_S = 0.02
GAPS_S = (0.004, 0.06)
"""Between contents, one kind of request after the other: so near that they come before an ACK, and after it."""
EVENTS = 6


@dataclass
class KernelServer:
    """A running server. ``ttft_s``: by request id, from the request's last byte to the byte that made the first content whole."""

    url: str = ""
    ttft_s: dict[str, float] = field(default_factory=dict)


def chunk(data: bytes) -> bytes:
    """A chunk of HTTP's chunked coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def delta(text: str) -> bytes:
    """A content event in a chunk."""
    return chunk(by_hand.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}))


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> float:
    """The kernel's stamp; the first segments of all may come before it stamps any."""
    data = next((data for _, kind, data in ancillary if kind in (SO_TIMESTAMPNS, SO_TIMESTAMPING)), None)
    if data is None:
        return time.time()
    seconds, nanoseconds = struct.unpack_from("qq", data)
    return float(seconds + nanoseconds / 1e9)


class _Channel:
    """Bytes over a connection, with TLS or without, the sending in the server's own hands."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        self.connection = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.received = 0.0
        self._into, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = None if context is None else context.wrap_bio(self._into, self._out, server_side=True)
        while self._tls is not None:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(self._out.read())
                self._into.write(self._take())
        connection.sendall(self._out.read())

    def _take(self) -> bytes:
        data, ancillary, _, _ = self.connection.recvmsg(65536, 256)
        if data:
            self.received = _stamp(ancillary)
        return data

    def receive(self) -> bytes:
        """Bytes; ``received`` is the stamp of their last segment. Nothing: the client has closed."""
        if self._tls is None:
            return self._take()
        while True:
            with suppress(ssl.SSLWantReadError):
                return self._tls.read(65536)
            data = self._take()
            if not data:
                return b""
            self._into.write(data)

    def wire(self, data: bytes) -> bytes:
        """The bytes that stand for ``data`` on the wire, one TLS record."""
        if self._tls is None:
            return data
        self._tls.write(data)
        return self._out.read()

    def send_stamped(self, data: bytes) -> float:
        """Send, and say when it left."""
        self.connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, SOFTWARE_SENT)
        self.connection.sendall(data)
        stamps: list[float] = []
        with suppress(BlockingIOError):
            while True:
                _, ancillary, _, _ = self.connection.recvmsg(0, 512, ERROR_QUEUE | socket.MSG_DONTWAIT)
                stamps.append(_stamp(ancillary))
        self.connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, 0)
        return stamps[-1]


def _serve(server: KernelServer, connection: socket.socket, context: ssl.SSLContext | None, number: int) -> None:
    with connection, suppress(OSError, ssl.SSLError):
        channel = _Channel(connection, context)
        for k in range(10_000):
            data = channel.receive()
            while data and not (b"\r\n\r\n" in data and len(data) >= _whole(data)):
                data += channel.receive()
            if not data:
                return
            _answer(server, channel, f"{number}-{k}", GAPS_S[(number + k) % 2])


def _whole(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    return len(head) + 4 + int(head.lower().partition(b"content-length:")[2].split()[0])


def _answer(server: KernelServer, channel: _Channel, name: str, gap_s: float) -> None:
    """Head and start of the message, then the first content in two pieces, then the others."""
    received = channel.received
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nx-amzn-RequestId: {name}\r\n"
    start = chunk(by_hand.event("messageStart", {"role": "assistant"}))
    time.sleep(WAIT_S)
    channel.connection.sendall(channel.wire(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + start))
    first = channel.wire(delta("first"))
    time.sleep(WAIT_S)
    channel.connection.sendall(first[:50])
    time.sleep(WAIT_S)
    server.ttft_s[name] = channel.send_stamped(first[50:]) - received
    for _ in range(EVENTS):
        time.sleep(gap_s)
        channel.connection.sendall(channel.wire(delta("more")))
    usage = {"usage": {"inputTokens": 1, "outputTokens": EVENTS + 1, "totalTokens": EVENTS + 2}, "metrics": {"latencyMs": 1}}
    end = chunk(by_hand.event("messageStop", {"stopReason": "end_turn"})) + chunk(by_hand.event("metadata", usage))
    channel.connection.sendall(channel.wire(end + b"0\r\n\r\n"))


@contextmanager
def kernel_server(context: ssl.SSLContext | None = None) -> Iterator[KernelServer]:
    """Serve until the block ends, a thread a connection."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = KernelServer(f"http{'s' if context else ''}://127.0.0.1:{listening.getsockname()[1]}")

    def accept() -> None:
        with suppress(OSError):
            for number in range(10_000):
                connection, _ = listening.accept()
                threading.Thread(target=_serve, args=(server, connection, context, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()

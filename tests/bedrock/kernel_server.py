"""An endpoint that knows by the kernel's own stamps when a request reached it and when the first content left it.

It stands apart from what it is held against: stamps of the other end of the connection, by another of the kernel's options,
and frames made from the specification alone.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.bedrock import by_hand

SO_TIMESTAMPNS, SO_TIMESTAMPING, ERROR_QUEUE = 35, 37, 0x2000
SOFTWARE_SENT = (1 << 1) | (1 << 4) | (1 << 11)
WAIT_S = 0.02
GAPS_S = (0.004, 0.06)
"""Between contents, one kind of request after the other: so near that they come before an ACK, and after it."""
EVENTS = 6


@dataclass(frozen=True)
class Dialect:
    """How an API's answers are put on the wire: what comes before the contents, a content, what ends the answer."""

    media: str
    start: bytes
    end: bytes
    delta: Callable[[str], bytes]


def _sse(*events: tuple[str, dict[str, Any] | str]) -> bytes:
    """Server-sent events: names, and what they hold."""
    lines = [(f"event: {name}\n" if name else "", data if isinstance(data, str) else json.dumps(data)) for name, data in events]
    return "".join(f"{head}data: {data}\n\n" for head, data in lines).encode()


def _converse() -> Dialect:
    usage = {"usage": {"inputTokens": 1, "outputTokens": EVENTS + 1, "totalTokens": EVENTS + 2}, "metrics": {"latencyMs": 1}}
    return Dialect(
        "application/vnd.amazon.eventstream",
        chunk(by_hand.event("messageStart", {"role": "assistant"})),
        chunk(by_hand.event("messageStop", {"stopReason": "end_turn"})) + chunk(by_hand.event("metadata", usage)),
        lambda text: chunk(by_hand.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})),
    )


def _messages() -> Dialect:
    def event(name: str, **more: Any) -> tuple[str, dict[str, Any]]:
        return name, {"type": name, **more}

    begun = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    stopped = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": EVENTS + 1})
    return Dialect(
        "text/event-stream",
        chunk(_sse(event("message_start", message={"usage": {"input_tokens": 1, "output_tokens": 1}}), begun)),
        chunk(_sse(stopped, event("message_stop"))),
        lambda text: chunk(_sse(event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}))),
    )


def _responses() -> Dialect:
    def event(name: str, **more: Any) -> tuple[str, dict[str, Any]]:
        return f"response.{name}", {"type": f"response.{name}", **more}

    usage = {"input_tokens": 1, "output_tokens": EVENTS + 1, "total_tokens": EVENTS + 2}
    return Dialect(
        "text/event-stream",
        chunk(_sse(event("created", response={"status": "in_progress"}))),
        chunk(_sse(event("completed", response={"status": "completed", "usage": usage}))),
        lambda text: chunk(_sse(event("output_text.delta", delta=text))),
    )


def _chat() -> Dialect:
    def piece(delta: dict[str, str], reason: str | None = None) -> tuple[str, dict[str, Any]]:
        return "", {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    usage = {"prompt_tokens": 1, "completion_tokens": EVENTS + 1, "total_tokens": EVENTS + 2}
    return Dialect(
        "text/event-stream",
        chunk(_sse(piece({"role": "assistant", "content": ""}))),
        chunk(_sse(piece({}, "stop"), ("", {"choices": [], "usage": usage}), ("", "[DONE]"))),
        lambda text: chunk(_sse(piece({"content": text}))),
    )


@dataclass
class KernelServer:
    """A running server. ``ttft_s``: by request id, from the request's last byte to the byte that made the first content whole;
    ``later_s``: from then to each other content, and to the end."""

    url: str = ""
    ttft_s: dict[str, float] = field(default_factory=dict)
    later_s: dict[str, list[float]] = field(default_factory=dict)


def chunk(data: bytes) -> bytes:
    """A chunk of HTTP's chunked coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


DIALECTS = {"converse-stream": _converse(), "messages": _messages(), "responses": _responses(), "chat": _chat()}


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


def _serve(
    server: KernelServer, dialect: Dialect, connection: socket.socket, context: ssl.SSLContext | None, number: int
) -> None:
    with connection, suppress(OSError, ssl.SSLError):
        channel = _Channel(connection, context)
        for k in range(10_000):
            data = channel.receive()
            while data and not (b"\r\n\r\n" in data and len(data) >= _whole(data)):
                data += channel.receive()
            if not data:
                return
            _answer(server, dialect, channel, f"{number}-{k}", GAPS_S[(number + k) % 2])


def _whole(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    return len(head) + 4 + int(head.lower().partition(b"content-length:")[2].split()[0])


def _answer(server: KernelServer, dialect: Dialect, channel: _Channel, name: str, gap_s: float) -> None:
    """Head and start of the message, then the first content in two pieces, then the others."""
    received = channel.received
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {dialect.media}\r\nx-amzn-RequestId: {name}\r\n"
    time.sleep(WAIT_S)
    channel.connection.sendall(channel.wire(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + dialect.start))
    first = channel.wire(dialect.delta("first"))
    time.sleep(WAIT_S)
    channel.connection.sendall(first[:50])
    time.sleep(WAIT_S)
    left = channel.send_stamped(first[50:])
    server.ttft_s[name] = left - received
    later = server.later_s[name] = []
    for data in [dialect.delta("more")] * EVENTS + [dialect.end + b"0\r\n\r\n"]:
        time.sleep(gap_s)
        later.append(channel.send_stamped(channel.wire(data)) - left)


@contextmanager
def kernel_server(context: ssl.SSLContext | None = None, api: str = "converse-stream") -> Iterator[KernelServer]:
    """Serve an API until the block ends, a thread a connection."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = KernelServer(f"http{'s' if context else ''}://127.0.0.1:{listening.getsockname()[1]}")

    def accept() -> None:
        with suppress(OSError):
            for number in range(10_000):
                connection, _ = listening.accept()
                threading.Thread(target=_serve, args=(server, DIALECTS[api], connection, context, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()

"""Waiting for an answer with a blocking loop: for a process without gevent, and for sockets that only it can read."""

from __future__ import annotations

import select
import ssl
from contextlib import AbstractContextManager, nullcontext
from time import monotonic_ns
from typing import Any

from fmbench.bedrock.arrivals import Arrivals
from fmbench.bedrock.deadlines import Deadlines
from fmbench.bedrock.http1 import ResponseReader

READ_SIZE = 65_536


def turn() -> None:
    """Others get their turn by themselves."""


def limit(seconds: float) -> AbstractContextManager[Any]:
    """Connecting is limited by the socket's own timeout."""
    return nullcontext()


def read(sock: Any, reader: ResponseReader, deadlines: Deadlines, arrivals: Arrivals | None = None) -> None:
    """Feed ``reader`` until its answer is whole or the peer has closed. Raises ``OSError``, ``DeadlineReached``, the reader's."""
    sock.settimeout(0)
    readable = select.poll()
    readable.register(sock.fileno(), select.POLLIN)
    while not reader.done:
        try:
            over = _read_once(sock, reader, arrivals)
        except (BlockingIOError, ssl.SSLWantReadError):
            if arrivals is not None:
                arrivals.quiet()
            readable.poll(deadlines.left_s(reader, monotonic_ns()) * 1000 + 1)
            continue
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            _end_of_input(reader, arrivals)
            return
        if over:
            return
        deadlines.left_s(reader, monotonic_ns())


def _read_once(sock: Any, reader: ResponseReader, arrivals: Arrivals | None) -> bool:
    """One read into ``reader``; whether the answer is over."""
    if arrivals is not None:
        return arrivals.feed(reader)
    data = sock.recv(READ_SIZE)
    if not data:
        reader.end_of_input()
        return True
    return reader.feed(data, monotonic_ns())


def _end_of_input(reader: ResponseReader, arrivals: Arrivals | None) -> None:
    if arrivals is None:
        reader.end_of_input()
    else:
        arrivals.end_of_input(reader)

"""What the kernel knows of loopback connections (``/proc/net/tcp``): conditions to wait for instead of times."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

CLOSE_WAIT = 0x08
"""The state of an end whose peer has closed, and that has not."""


class Row(NamedTuple):
    """One end of a connection: its ports, state, the bytes sent that the other end has not got, and those received and not yet
    read (of a listener: the connections that wait to be accepted)."""

    local: int
    remote: int
    state: int
    unsent: int
    unread: int


def rows() -> Iterator[Row]:
    """Every IPv4 end of this machine."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        unsent, unread = (int(queue, 16) for queue in queues.split(":"))
        yield Row(_port(local), _port(remote), int(state, 16), unsent, unread)


@contextmanager
def counting_listener() -> Iterator[tuple[str, Callable[[], int]]]:
    """(address, how many connections were made to it): an endpoint that nobody should ask."""
    made: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                made.append(listener.accept()[0])

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", lambda: len(made)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in made:
            connection.close()


def wait_until_read(connection: socket.socket) -> None:
    """Until the other end has read all that was sent, or is gone."""
    here, there = connection.getsockname()[1], connection.getpeername()[1]

    def read() -> bool:
        ends = {row.local: row for row in rows() if {row.local, row.remote} == {here, there}}
        return there not in ends or (ends[here].unsent == 0 and ends[there].unread == 0)

    _wait(read)


def wait_until_waiting(listener: socket.socket, count: int) -> None:
    """Until so many connections wait to be accepted."""
    port = listener.getsockname()[1]
    _wait(lambda: any(row.local == port and row.remote == 0 and row.unread >= count for row in rows()))


def wait_until_closed_by_server(port: int) -> None:
    """Until every client of the server at ``port`` has heard that its connection was closed."""
    _wait(lambda: all(row.state == CLOSE_WAIT for row in rows() if row.remote == port and row.state in (0x01, CLOSE_WAIT)))


def _wait(ready: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def _port(address: str) -> int:
    return int(address.split(":")[1], 16)

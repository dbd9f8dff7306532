"""When the kernel saw bytes come and go: a socket's stamps, and its wall clock as monotonic time. Linux; elsewhere not there.

https://docs.kernel.org/networking/timestamping.html. A stamp belongs to a segment as the kernel keeps it: where several
segments lie unread, the kernel may join them under the stamp of the last one (``witness.py`` is the answer to that).
"""

from __future__ import annotations

import fcntl
import sys
from _socket import socket as raw_socket
from contextlib import suppress
from socket import IPPROTO_TCP, MSG_PEEK, SOL_SOCKET
from struct import Struct
from struct import error as StructError
from time import monotonic_ns, time_ns

SO_TIMESTAMPING = 37
_TX_SOFTWARE, _RX_SOFTWARE, _SOFTWARE, _ONLY_STAMPS = 1 << 1, 1 << 3, 1 << 4, 1 << 11
SPACE = 256
"""Room for what comes beside the bytes."""
MSG_ERRQUEUE = 0x2000
STEP_NS = 500_000
"""Two readings of both clocks differ by no more, unless the wall clock was set in between."""
_TCP_INFO, _UP_TO_RECEIVED = 11, 136
_CLOSED = 7
"""The state of an end that was reset; one that the other end closed is in CLOSE_WAIT."""
_FIONREAD = 0x541B
_timespec = Struct("qq").unpack_from
_received = Struct("Q").unpack_from
_count = Struct("i")
Ancillary = list[tuple[int, int, bytes]]


def raw_beneath(sock: object) -> raw_socket | None:
    """The plain socket beneath a socket of gevent, ssl or the standard library; None: there is none."""
    found = getattr(sock, "_sock", sock)
    return found if isinstance(found, raw_socket) else None


def stamp_socket(raw: raw_socket) -> bool:
    """Have the kernel stamp what this connection receives and sends; False where it cannot, or where a sandbox refuses any of the
    calls that stamps take: they are all tried here, before a request hangs on them."""
    if sys.platform != "linux":
        return False
    try:
        raw.setsockopt(SOL_SOCKET, SO_TIMESTAMPING, _RX_SOFTWARE | _TX_SOFTWARE | _SOFTWARE | _ONLY_STAMPS)
        read_bytes(raw)
        _look_at(raw)
    except (OSError, ValueError, StructError):
        return False
    return True


def _look_at(raw: raw_socket) -> None:
    """A look at what is there to read, without waiting: Python would wait for as long as the socket's timeout is."""
    before = raw.gettimeout()
    raw.settimeout(0)
    try:
        with suppress(BlockingIOError):
            raw_socket.recvmsg(raw, 1, SPACE, MSG_PEEK)
    finally:
        raw.settimeout(before)


def stamp_in(ancillary: Ancillary) -> int | None:
    """The stamp that came beside bytes, wall-clock nanoseconds."""
    for level, kind, data in ancillary:
        if kind == SO_TIMESTAMPING and level == SOL_SOCKET and len(data) >= 16:
            seconds, nanoseconds = _timespec(data)
            stamp: int = seconds * 1_000_000_000 + nanoseconds
            return stamp or None
    return None


def sent_stamp(raw: raw_socket) -> int | None:
    """The next stamp of what has left, wall-clock nanoseconds, of a socket that does not block.

    They have to be taken, or the socket stays ready.
    """
    try:
        return stamp_in(raw_socket.recvmsg(raw, 0, SPACE, MSG_ERRQUEUE)[1])
    except OSError:
        return None


def received_bytes(raw: raw_socket) -> int:
    """Bytes that this connection has received in order since it began, read or not. Raises ``OSError``."""
    return int(_received(raw.getsockopt(IPPROTO_TCP, _TCP_INFO, _UP_TO_RECEIVED), _UP_TO_RECEIVED - 8)[0])


def was_reset(raw: raw_socket) -> bool:
    """Whether a connection that gives no more bytes was reset, and not closed in good order.

    The kernel tells of a reset once, to whoever looks first, and a look at what has arrived may have been that.
    """
    try:
        return raw.getsockopt(IPPROTO_TCP, _TCP_INFO, 1)[0] == _CLOSED
    except OSError:
        return False


def read_bytes(raw: raw_socket) -> int:
    """Bytes that were taken from this connection since it began."""
    waiting = _count.unpack(fcntl.ioctl(raw.fileno(), _FIONREAD, b"\0\0\0\0"))[0]
    return received_bytes(raw) - int(waiting)


def wall_ahead_ns() -> int:
    """How far the wall clock is ahead of the monotonic one, by a pair of readings that nothing came between."""
    best, found = 1 << 62, 0
    for _ in range(5):
        before, wall, after = monotonic_ns(), time_ns(), monotonic_ns()
        if after - before < best:
            best, found = after - before, wall - (before + after) // 2
        if best < 5_000:
            break
    return found

"""When an answer's bytes came to this machine, however late this process reads them: the stamps of one connection.

Each read gets the kernel's stamp of the segment that made it whole:

- A plain socket is read segment by segment until the answer's first content is out, as far as the witness saw segments apart;
  else, and from then on, in one read, whose stamp is that of its last segment.
- A TLS read gives one record. Its stamp is that of the segment with the record's last byte, by a peek at the raw socket: OpenSSL
  takes no bytes of the next record.

The kernel's stamp is not used when the wall clock was set during the request, or when it does not lie between sending and
reading: the read's own time stands then, as it does where the system has no stamps.
"""

from __future__ import annotations

from _socket import socket as raw_socket
from collections.abc import Callable
from contextlib import suppress
from errno import ECONNRESET
from itertools import count
from socket import MSG_PEEK
from time import monotonic_ns
from typing import Any
from weakref import WeakKeyDictionary

from fmbench.bedrock.http1 import ResponseReader
from fmbench.bedrock.kernel_time import (
    SPACE,
    STEP_NS,
    raw_beneath,
    read_bytes,
    sent_stamp,
    stamp_in,
    stamp_socket,
    wall_ahead_ns,
    was_reset,
)
from fmbench.bedrock.watching import Watch, watch
from fmbench.core.records import Exchange

READ_SIZE = 65_536
AHEAD_FOR_NS = 10_000_000
"""So long one comparison of the two clocks holds for reads after the first content: they drift apart by 5 µs at most."""
ONE_BURST = 14_000
"""A request of up to so many bytes leaves at once, so that the stamp of its last segment is that of its first."""
CLOSE_NS = 50_000
"""How well the two clocks can be compared at worst: a stamp that is later than its reading by no more is of the reading."""
_RECORD_HEADER = 5
_MOST_RECORD = _RECORD_HEADER + 16_384 + 256
_requests = count(1)
_read_message = raw_socket.recvmsg


def _taken(raw: raw_socket) -> Watch | None:
    """This process's witness, if there is one and it takes the socket."""
    found = watch()
    return found if found is not None and found.take(raw) else None


class _Wall:
    """How far the wall clock is ahead, as it was compared in the last few milliseconds."""

    __slots__ = ("_ahead_ns", "_until_ns")

    def __init__(self) -> None:
        self._ahead_ns = self._until_ns = 0

    def ahead_ns(self, now: int) -> int:
        """As ``wall_ahead_ns``."""
        if now >= self._until_ns:
            self._ahead_ns, self._until_ns = wall_ahead_ns(), now + AHEAD_FOR_NS
        return self._ahead_ns


_wall = _Wall()


class Arrivals:
    """The stamps of one connection, request by request."""

    __slots__ = ("_ahead_ns", "_buffer", "_exchange", "_last_ns", "_left", "_looking", "_number", "_position", "_raw",
                 "_receive", "_request", "_to_first", "_watch")  # fmt: skip

    def __init__(self, raw: raw_socket, tls: Any) -> None:
        self._raw = raw
        self._receive: Callable[[int], bytes] | None = None if tls is None else tls.read
        self._looking = False
        self._to_first = False
        """Whether the answer's first content is still to come."""
        self._last_ns = 0
        self._buffer = bytearray(0 if tls is None else _MOST_RECORD)
        self._left: int | None = None
        self._number = raw.fileno()
        self._watch = _taken(raw)
        self._request = 0
        self._position = 0
        self._ahead_ns = 0

    def begin(self, exchange: Exchange) -> None:
        """A request is about to be sent on this connection, and nothing of an answer has come."""
        self._exchange = exchange
        self._to_first = True
        self._request = next(_requests)
        self._position = read_bytes(self._raw)
        self._left = None
        self._ahead_ns = wall_ahead_ns()
        if self._watch is None:  # so many connections were made at once that the witness could not take this one
            self._watch = _taken(self._raw)
        if self._watch is not None:
            self._looking = self._watch.look(self._number, self._request)

    def sent(self, size: int) -> None:
        """The request's bytes were handed over: a small one was sent when the kernel says so."""
        now, before = monotonic_ns(), self._exchange.sent_ns
        if self._raw.gettimeout() != 0:
            self._raw.settimeout(0)
        stamp = sent_stamp(self._raw)  # one stamp a call of send; others are taken in ``quiet``
        if stamp is not None and size <= ONE_BURST and before is not None:
            left = stamp - self._ahead_ns
            if before <= left <= now:
                self._exchange.sent_ns = left

    def end(self) -> None:
        """The first content is out, or none will come: the witness need not look any more."""
        self._to_first = False
        if self._looking and self._watch is not None:
            self._looking = False
            self._watch.look_away(self._number)

    def close(self) -> None:
        """The connection is about to be closed."""
        self.end()
        if self._watch is not None:
            self._watch.forget(self._number)
            self._watch = None

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    def feed(self, reader: ResponseReader) -> bool:
        """One read into ``reader``; whether the answer is over. Raises what the socket's own read and the reader raise."""
        if self._to_first:
            return self._feed_first(reader)
        if self._receive is None:
            data, ancillary, _, _ = _read_message(self._raw, READ_SIZE, SPACE)
            stamp = stamp_in(ancillary)
        else:
            stamp = self._peek_record()
            data = self._receive(READ_SIZE)
            self._left = None
        if not data:
            self.end_of_input(reader)
            return True
        return reader.feed(data, self._came(stamp, monotonic_ns()))

    def _feed_first(self, reader: ResponseReader) -> bool:
        data, kernel, now = self._read_plain() if self._receive is None else self._read_record(self._receive)
        if not data:
            self.end_of_input(reader)
            return True
        self._last_ns = now if kernel is None else kernel
        done = reader.feed(data, self._last_ns)
        if self._exchange.content_ns:
            self._exchange.first_content_read_ns = None if kernel is None else now
            self.end()
        return done

    def _came(self, stamp: int | None, now: int) -> int:
        """When bytes after the first content came: by the kernel, but not before those before them; else when they were read."""
        if stamp is not None:
            ahead = _wall.ahead_ns(now)
            if -STEP_NS <= ahead - self._ahead_ns <= STEP_NS and stamp - ahead < now:
                now = stamp - ahead
        if now > self._last_ns:
            self._last_ns = now
        return self._last_ns

    def end_of_input(self, reader: ResponseReader) -> None:
        """No more bytes come. Raises ``ConnectionResetError`` where an answer was cut short by a reset."""
        reader.end_of_input()
        if reader.short and was_reset(self._raw):
            raise ConnectionResetError(ECONNRESET, "Connection reset by peer")

    def quiet(self) -> None:
        """Nothing was there to read, though the socket was ready: a stamp of what was sent may be why."""
        while sent_stamp(self._raw) is not None:
            pass

    def _read_plain(self) -> tuple[bytes, int | None, int]:
        """(bytes, when they came by the kernel's word, when they were read)."""
        size, noted = self._next_segment()
        data, ancillary, _, _ = raw_socket.recvmsg(self._raw, size, SPACE)
        now = monotonic_ns()
        self._position += len(data)
        return data, self._arrived(stamp_in(ancillary), noted, now), now

    def _next_segment(self) -> tuple[int, int | None]:
        """How many bytes to read so as to end where a segment did, and that segment's stamp."""
        if self._watch is not None:
            for received, stamp in self._watch.notes(self._number, self._request):
                if received > self._position:
                    return min(received - self._position, READ_SIZE), stamp
        return READ_SIZE, None

    def _read_record(self, receive: Callable[[int], bytes]) -> tuple[bytes, int | None, int]:
        stamp = self._peek_record()
        data = receive(READ_SIZE)
        now = monotonic_ns()
        self._left = None
        self._position = read_bytes(self._raw)
        return data, self._arrived(stamp, self._noted_by(self._position), now), now

    def _peek_record(self) -> int | None:
        """The stamp of the segment with the last byte of the next record; while that is not whole, of the last one."""
        try:
            size, ancillary, _, _ = raw_socket.recvmsg_into(self._raw, [self._buffer], SPACE, MSG_PEEK)
        except OSError:
            return None
        wanted = self._left
        if wanted is None:
            header = self._buffer[:_RECORD_HEADER]
            wanted = _RECORD_HEADER + int.from_bytes(header[3:], "big") if size >= _RECORD_HEADER else size
        self._left = wanted - size if wanted > size else None
        if wanted < size:
            _, ancillary, _, _ = raw_socket.recvmsg_into(self._raw, [memoryview(self._buffer)[:wanted]], SPACE, MSG_PEEK)
        return stamp_in(ancillary)

    def _noted_by(self, position: int) -> int | None:
        """When the witness first saw that so many bytes had come."""
        if self._watch is None:
            return None
        notes = self._watch.notes(self._number, self._request)
        return next((stamp for received, stamp in notes if received >= position), None)

    def _arrived(self, stamp: int | None, noted: int | None, now: int) -> int | None:
        """When the bytes came, by the kernel; None when it does not say, or the wall clock was set since the request began."""
        known = [found for found in (stamp, noted) if found is not None]
        ahead = wall_ahead_ns()
        if not known or abs(ahead - self._ahead_ns) > STEP_NS:
            return None
        arrived = min(known) - ahead
        arrived = now if 0 < arrived - now < CLOSE_NS else arrived
        sent = self._exchange.sent_ns
        return arrived if sent is not None and sent <= arrived <= now else None


_of: WeakKeyDictionary[Any, Arrivals] = WeakKeyDictionary()


def arrivals_of(connection: Any) -> Arrivals | None:
    """The stamps of an open connection of urllib3; None where the system gives none."""
    return _of.get(connection)


def open_arrivals(connection: Any) -> None:
    """A connection was made: have what comes on it stamped, where the system can."""
    _of.pop(connection, None)
    sock = connection.sock
    raw = raw_beneath(sock)
    if raw is None or not stamp_socket(raw):
        return
    _of[connection] = Arrivals(raw, getattr(sock, "_sslobj", None))


def close_arrivals(connection: Any) -> None:
    """A connection is about to be closed."""
    found = _of.pop(connection, None)
    if found is not None:
        found.close()

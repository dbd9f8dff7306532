"""When an answer's bytes came to this machine, however late this process reads them: the stamps of one connection.

Each read gets the kernel's stamp of the segment that it ends with. Until the answer's first content is out, a connection is read
segment by segment, as far as the witness saw segments apart; from then on each read takes what is there. A TLS record says what
it says when the segment with its last byte is there: no part of it can be read before.

The kernel's stamp is not used when the wall clock was set during the request, or when it does not lie between sending and
reading: the read's own time stands then, as it does where the system has no stamps.
"""

from __future__ import annotations

from _socket import socket as raw_socket
from contextlib import suppress
from errno import ECONNRESET
from itertools import count
from time import monotonic_ns
from typing import Any
from weakref import WeakKeyDictionary

from fmbench.bedrock.http1 import ResponseReader
from fmbench.bedrock.kernel_time import (
    SPACE,
    STEP_NS,
    read_bytes,
    sent_stamp,
    stamp_in,
    stamp_socket,
    wall_ahead_ns,
    was_reset,
)
from fmbench.bedrock.tls import Tls, raw_of
from fmbench.bedrock.watching import Watch, watch
from fmbench.bedrock.witness import NOTES
from fmbench.core.records import Exchange

READ_SIZE = 65_536
AHEAD_FOR_NS = 10_000_000
"""So long one comparison of the two clocks holds for reads after the first content: they drift apart by 5 µs at most."""
ONE_BURST = 14_000
"""A request of up to so many bytes leaves at once, so that the stamp of its last segment is that of its first."""
CLOSE_NS = 50_000
"""How well the two clocks can be compared at worst: a stamp that is later than its reading by no more is of the reading."""
_requests = count(1)
_read_message = raw_socket.recvmsg


def _taken(raw: raw_socket) -> Watch | None:
    """This process's witness, if there is one and it takes the socket."""
    found = watch()
    return found if found is not None and found.take(raw) else None


class _Wall:
    """How far the wall clock is ahead, as it was compared in the last few milliseconds."""

    __slots__ = ("ahead_ns", "until_ns")

    def __init__(self) -> None:
        self.ahead_ns = self.until_ns = 0
        """What holds, and until when it does."""

    def compare(self, now: int) -> int:
        """Compare anew, as ``wall_ahead_ns``."""
        self.ahead_ns, self.until_ns = wall_ahead_ns(), now + AHEAD_FOR_NS
        return self.ahead_ns


_wall = _Wall()


class Arrivals:
    """The stamps of one connection, request by request."""

    __slots__ = ("_ahead_ns", "_exchange", "_last_ns", "_looking", "_number", "_position", "_raw", "_request", "_tls",
                 "_to_first", "_unstamped_ns", "_watch")  # fmt: skip

    def __init__(self, raw: raw_socket, tls: Tls | None) -> None:
        self._raw = raw
        self._tls = tls
        self._looking = False
        self._to_first = False
        """Whether the answer's first content is still to come."""
        self._last_ns = self._unstamped_ns = 0
        """When the latest bytes came, and the latest of those that had no stamp of the kernel's."""
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
        data, ancillary, _, _ = _read_message(self._raw, READ_SIZE, SPACE)
        came_ns = self._came(stamp_in(ancillary))
        return reader.feed(data, came_ns) if data and self._tls is None else self._take(reader, data, came_ns)

    def _feed_first(self, reader: ResponseReader) -> bool:
        size, noted = self._next_segment()
        data, ancillary, _, _ = _read_message(self._raw, size, SPACE)
        now = monotonic_ns()
        self._position += len(data)
        kernel = self._arrived(stamp_in(ancillary), noted, now)
        self._last_ns = now if kernel is None else kernel
        over = self._take(reader, data, self._last_ns)
        if self._exchange.content_ns:
            self._exchange.first_content_read_ns = None if kernel is None else now
            self.end()
        return over

    def _take(self, reader: ResponseReader, data: bytes, came_ns: int) -> bool:
        """Bytes from the wire, none at its end, into ``reader``; whether the answer is over."""
        tls = self._tls
        if tls is not None and data:
            data = tls.opened(data)
            if not data and not tls.over:
                return False
        if data and reader.feed(data, came_ns):
            return True
        if data and (tls is None or not tls.over):
            return False
        if tls is not None and tls.fault is not None:
            raise tls.fault
        self.end_of_input(reader)
        return True

    def _came(self, stamp: int | None) -> int:
        """When bytes after the first content came: by the kernel, but not before those before them; else when they were read."""
        now = monotonic_ns()
        if stamp is not None:
            ahead = _wall.ahead_ns if now < _wall.until_ns else _wall.compare(now)
            came = stamp - ahead
            if came < now and abs(ahead - self._ahead_ns) <= STEP_NS:
                if came > self._last_ns:
                    self._last_ns = came
                return self._last_ns
        self._last_ns = self._unstamped_ns = now
        return now

    def stamped(self, moment_ns: int) -> bool:
        """Whether the kernel said that bytes came at this moment, of those that were said to have come then."""
        return moment_ns != self._unstamped_ns

    def end_of_input(self, reader: ResponseReader) -> None:
        """No more bytes come. Raises ``ConnectionResetError`` where an answer was cut short by a reset."""
        reader.end_of_input()
        if reader.short and was_reset(self._raw):
            raise ConnectionResetError(ECONNRESET, "Connection reset by peer")

    def quiet(self) -> None:
        """Nothing was there to read, though the socket was ready: a stamp of what was sent may be why."""
        while sent_stamp(self._raw) is not None:
            pass

    def _next_segment(self) -> tuple[int, int | None]:
        """How many bytes to read so as to end where a segment did, and that segment's stamp."""
        if self._watch is not None:
            for number, (received, stamp) in enumerate(self._watch.notes(self._number, self._request), 1):
                if received > self._position:
                    return min(received - self._position, READ_SIZE), stamp
                if number == NOTES:  # all of them are read: the witness notes on as of another request
                    self._request = next(_requests)
                    self._watch.go_on(self._number, self._request)
        return READ_SIZE, None

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
    raw = raw_of(sock)
    if raw is None or not stamp_socket(raw):
        return
    _of[connection] = Arrivals(raw, sock if isinstance(sock, Tls) else None)


def close_arrivals(connection: Any) -> None:
    """A connection is about to be closed."""
    found = _of.pop(connection, None)
    if found is not None:
        found.close()

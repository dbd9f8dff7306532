"""Waiting for answers inside gevent's hub: a read callback on each socket stamps and reads the bytes; the greenlet wakes once.

Heavy steps (signing and sending a request, recording an answer) go through a turnstile, one a loop iteration (two while reads
are gathered), so that between them every socket that has bytes is read and stamped. This file and ``load/`` are the only homes
of gevent.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  what the first look-up of a name would import while nobody is read
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import ip_address
from time import monotonic_ns
from typing import Any
from weakref import WeakKeyDictionary

import gevent
import gevent.socket
from gevent import monkey
from gevent.hub import Waiter, get_hub
from gevent.resolver.thread import Resolver

from fmbench.bedrock import wait_plain
from fmbench.bedrock.arrivals import READ_SIZE, Arrivals
from fmbench.bedrock.deadlines import Deadlines
from fmbench.bedrock.faults import DeadlineReached
from fmbench.bedrock.gathering import Gathering
from fmbench.bedrock.http1 import ResponseReader
from fmbench.bedrock.tls import Tls
from fmbench.core.failures import FailureKind

_READABLE = 1
AT_ONCE = 2
"""So many heavy steps go through in one iteration while reads are gathered: a request's end, and the start of the user's next.

What is read a little later then has its stamp all the same. More of them would send requests in bursts.
"""


class Turnstile:
    """Lets one greenlet through in each iteration of the hub's loop, some while reads are gathered; first come, first served."""

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self._gathering = _gathering(hub)
        self._iteration = self._passed = 0
        self._waiting: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._timer = hub.loop.timer(0)

    def wait(self) -> None:
        """Return when it is this greenlet's turn."""
        if not self._at_once():
            waiter: Any = Waiter(self._hub)
            self._queue(waiter.switch, None)
            waiter.get()

    def wake(self, switch: Callable[[Any], None], value: Any) -> None:
        """Have ``switch(value)`` called when its turn has come."""
        if self._at_once():
            switch(value)
        else:
            self._queue(switch, value)

    def _at_once(self) -> bool:
        """Whether a step may go through now."""
        if self._waiting or not self._gathering.on:
            return False
        iteration = self._hub.loop.iteration
        if iteration != self._iteration:
            self._iteration, self._passed = iteration, 0
        self._passed += 1
        return self._passed <= AT_ONCE

    def _queue(self, switch: Callable[[Any], None], value: Any) -> None:
        self._waiting.append((switch, value))
        if not self._timer.active:
            self._timer.start(self._next)

    def _next(self) -> None:
        switch, value = self._waiting.popleft()
        if self._waiting:
            self._timer.start(self._next)
        else:
            self._timer.stop()
        switch(value)


_turnstiles: WeakKeyDictionary[Any, Turnstile] = WeakKeyDictionary()
_gatherings: WeakKeyDictionary[Any, Gathering] = WeakKeyDictionary()


def _turnstile(hub: Any) -> Turnstile:
    found = _turnstiles.get(hub)
    if found is None:
        found = _turnstiles[hub] = Turnstile(hub)
    return found


def _gathering(hub: Any) -> Gathering:
    found = _gatherings.get(hub)
    if found is None:
        found = _gatherings[hub] = Gathering(hub.loop)
    return found


class OwnResolver(Resolver):
    """gevent's own, which has a thread look every name up, but for addresses that are numbers: those are only read."""

    def getaddrinfo(self, host: Any, *args: Any, **options: Any) -> Any:
        """As ``socket.getaddrinfo``."""
        look_up = _look_up if _is_number(host) else super().getaddrinfo
        return look_up(host, *args, **options)


_look_up: Callable[..., Any] = monkey.get_original("socket", "getaddrinfo")


@lru_cache(maxsize=64)
def _is_number(host: Any) -> bool:
    try:
        return isinstance(host, str) and bool(ip_address(host))
    except ValueError:
        return False


_hub: Any = get_hub()
if type(_hub.resolver) is Resolver:
    _hub.resolver = OwnResolver(_hub)


def turn() -> None:
    """Let the loop read what has arrived before this greenlet's next heavy step."""
    _turnstile(get_hub()).wait()


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """End what takes longer with ``DeadlineReached``: name resolution and handshakes included."""
    timeout = gevent.Timeout(seconds, DeadlineReached(FailureKind.TIMEOUT_CONNECT, seconds))
    with _gathering(get_hub()).paused(), timeout:
        yield


def read(sock: Any, reader: ResponseReader, deadlines: Deadlines, arrivals: Arrivals | None = None) -> None:
    """Feed ``reader`` until its answer is whole or the peer has closed. Raises ``OSError``, ``DeadlineReached``, the reader's."""
    receive = _receiver(sock)
    if receive is None:
        return wait_plain.read(sock, reader, deadlines, arrivals)
    error = _Reading(get_hub(), sock.fileno(), receive, reader, deadlines, arrivals).wait()
    if error is not None:
        raise error


def _receiver(sock: Any) -> Callable[[int], bytes] | None:
    """The non-blocking read beneath a gevent socket; None for a socket of another kind."""
    if isinstance(sock, Tls):
        return None if sock.raw is None else sock.receive
    inner: Any = getattr(sock, "_sock", None) if isinstance(sock, gevent.socket.socket) else None
    return None if inner is None else inner.recv


class _Reading:
    """One answer being read by the hub.

    libev tells again as long as there are bytes, so that one read a callback is enough.
    """

    __slots__ = ("_arrivals", "_deadlines", "_gathering", "_hub", "_reader", "_receive", "_timer", "_waiter", "_watcher")

    def __init__(
        self,
        hub: Any,
        fd: int,
        receive: Callable[[int], bytes],
        reader: ResponseReader,
        deadlines: Deadlines,
        arrivals: Arrivals | None,
    ) -> None:
        self._hub = hub
        self._receive = receive
        self._reader = reader
        self._deadlines = deadlines
        self._arrivals = arrivals
        self._gathering = _gathering(hub)
        self._waiter: Any = Waiter(hub)
        self._watcher = hub.loop.io(fd, _READABLE)
        self._timer = hub.loop.timer(deadlines.look_again_s(reader, monotonic_ns()))

    def wait(self) -> Exception | None:
        """Block this greenlet until the answer has ended; what ended it, or None."""
        stamped = self._arrivals is not None
        if self._arrivals is None:
            self._watcher.start(self._on_readable)
        else:
            self._watcher.start(self._on_stamped, self._arrivals.feed, self._reader)
        self._timer.start(self._on_time)
        self._gathering.begin(stamped)
        try:
            outcome: Exception | None = self._waiter.get()
            return outcome
        finally:
            self._gathering.end(stamped)
            self._close()

    def _on_stamped(self, feed: Callable[[ResponseReader], bool], reader: ResponseReader) -> None:
        """A read whose bytes get the stamp of their arrival."""
        try:
            over = feed(reader)
        except Exception as error:
            return self._on_fault(error)
        if over:
            self._end(None)

    def _on_readable(self) -> None:
        try:
            data = self._receive(READ_SIZE)
            if data:
                if not self._reader.feed(data, monotonic_ns()):
                    return
            else:
                self._reader.end_of_input()
        except Exception as error:
            return self._on_fault(error)
        self._end(None)

    def _on_fault(self, error: Exception) -> None:
        """A read that gave nothing, or ended the answer."""
        if not isinstance(error, BlockingIOError):
            self._end(error)
        elif self._arrivals is not None:
            self._arrivals.quiet()  # ready, but nothing to read: what was sent has left, and its stamp is to be taken

    def _on_time(self) -> None:
        try:
            left = self._deadlines.look_again_s(self._reader, monotonic_ns())
        except DeadlineReached as error:
            return self._end(error)
        self._timer.close()
        self._timer = self._hub.loop.timer(left)
        self._timer.start(self._on_time)

    def _end(self, error: Exception | None) -> None:
        self._watcher.stop()
        self._timer.stop()
        _turnstile(self._hub).wake(self._waiter.switch, error)

    def _close(self) -> None:
        for watcher in (self._watcher, self._timer):
            watcher.stop()
            watcher.close()


def together(jobs: list[Callable[[], None]], starts_s: list[float]) -> None:
    """Run every job in a greenlet of its own, each after so many seconds; raises what the first failed one raised."""
    running = [gevent.spawn_later(start, job) for job, start in zip(jobs, starts_s, strict=True)]
    gevent.joinall(running, raise_error=True)

"""A load process's side of its witness (``witness.py``): hands it sockets, says when to look, and reads what it noted."""

from __future__ import annotations

import atexit
import mmap
import os
import select
import sys
import threading
from _socket import socket as raw_socket
from _socket import socketpair
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, MSG_DONTWAIT, SCM_RIGHTS, SOCK_SEQPACKET, SOL_SOCKET
from struct import Struct
from typing import Any

from fmbench.bedrock import witness

_rights = Struct("i").pack


class Watch:
    """The witness of one process."""

    def __init__(self) -> None:
        self._control, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET, 0)
        self._untold: set[int] = set()
        """Sockets that are closed, and that the witness could not be told of: only a few messages may wait for it."""
        self._epoll = _epoll()
        memory = os.memfd_create("fmbench-witness")
        os.truncate(memory, witness.MOST_SOCKETS * witness.SLOT)
        self._memory = mmap.mmap(memory, witness.MOST_SOCKETS * witness.SLOT)
        self.pid = _spawn(str(Path(witness.__file__)), (theirs.fileno(), self._epoll.fileno(), memory))
        theirs.close()
        os.close(memory)
        atexit.register(self._control.close)

    def take(self, raw: raw_socket) -> bool:
        """Hand the witness a connected socket; False when it cannot take it."""
        number = raw.fileno()
        if not 0 <= number < witness.MOST_SOCKETS:
            return False
        self._untold.discard(number)  # a socket that is taken takes the place of the one before it
        return self._tell(number, [(SOL_SOCKET, SCM_RIGHTS, _rights(number))])

    def forget(self, number: int) -> None:
        """The socket of this number is closed: the witness closes its own copy, now or when it can hear of it."""
        self._untold.add(number)
        self._tell_of_closed()

    def look(self, number: int, request: int) -> bool:
        """From now on each arrival is noted, as of this request; False when nobody looks."""
        self.go_on(number, request)
        if self._untold:
            self._tell_of_closed()
        try:
            self._epoll.register(number, select.POLLIN | _EDGE)
        except OSError:
            return False
        return True

    def go_on(self, number: int, request: int) -> None:
        """Arrivals are noted as of this request from now on, in the place of the notes that are there."""
        witness.NUMBER.pack_into(self._memory, number * witness.SLOT, request)

    def look_away(self, number: int) -> None:
        """Enough."""
        with suppress(OSError, ValueError):
            self._epoll.unregister(number)

    def notes(self, number: int, request: int) -> Iterator[tuple[int, int]]:
        """(bytes received by then, wall-clock nanoseconds) for each arrival of a request that was noted, in order."""
        place = number * witness.SLOT + witness.NUMBER.size
        for at in range(place, place + witness.NOTES * witness.NOTE.size, witness.NOTE.size):
            of, received, stamp = witness.NOTE.unpack_from(self._memory, at)
            if of != request:
                return
            yield received, stamp

    def _tell_of_closed(self) -> None:
        while self._untold:
            number = self._untold.pop()
            if not self._tell(number, []):
                self._untold.add(number)
                return

    def _tell(self, number: int, files: list[tuple[int, int, bytes]]) -> bool:
        try:
            self._control.sendmsg([witness.NUMBER.pack(number)], files, MSG_DONTWAIT)
        except OSError:
            return False
        return True


_EDGE = 1 << 31


def _spawn(program: str, files: tuple[int, ...]) -> int:
    """Start a program of Python's with these open files, and say its number.

    gevent's own way is a fork, which copies the whole process's tables of pages: 10 ms of a loop that should be reading.
    """
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3) if number not in files]
    command = [sys.executable, "-I", "-S", program, *map(str, files)]
    try:
        for file in files:
            os.set_inheritable(file, True)
        # a session of its own: whoever stops the load processes from a terminal does not stop it
        return os.posix_spawn(sys.executable, command, os.environ, file_actions=silent, setsid=True)
    finally:
        for file in files:
            os.set_inheritable(file, False)


def _epoll() -> Any:
    """The system's own epoll, which gevent takes out of ``select``."""
    monkey: Any = sys.modules.get("gevent.monkey")
    make: Callable[[], Any] = select.epoll if hasattr(select, "epoll") else monkey.get_original("select", "epoll")
    return make()


_starting = threading.Lock()
"""Starting a process lets other greenlets run, which would each start another."""
_watches: dict[int, Watch | None] = {}


def watch() -> Watch | None:
    """This process's witness, started when it is first asked for; None where there can be none."""
    own = os.getpid()
    with _starting:
        if own not in _watches:
            found: Watch | None = None
            with suppress(OSError, AttributeError, NotImplementedError):
                found = Watch()
            _watches.clear()  # a parent's is not this process's
            _watches[own] = found
        return _watches[own]

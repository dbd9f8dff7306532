"""A small process beside a load process: it notes when bytes came to sockets that the load process is too late to read.

The kernel joins segments that lie unread, under the stamp of the last. The witness asks for each stamp while its segment is the
last one, and writes "so many bytes had come by then" where the load process looks when it comes to read. It reads nothing
from the sockets, and is woken only between a request's sending and its first content. It runs alone:
``python witness.py <control socket> <epoll> <memory>``, three open files, and ends when the load process does.
"""

from __future__ import annotations

import mmap
import os
import select
import socket
import sys
from contextlib import suppress
from struct import Struct

MOST_SOCKETS = 8_192
"""Sockets are known by their numbers in the load process; higher ones are not watched."""
NOTES = 24
"""Notes of one request: what comes later is not noted, until the load process has read up to the last and makes room."""
NUMBER = Struct("Q")
NOTE = Struct("QQQ")
"""The request that it belongs to, bytes received by then, the stamp (wall clock, ns)."""
SLOT = NUMBER.size + NOTES * NOTE.size
SO_TIMESTAMPING, TCP_INFO, RECEIVED_AT = 37, 11, 128
_PEEK = 65_536
FIRST = -15
"""Its priority, where the system lets it have one before other processes."""
AUTOGROUP = "/proc/self/autogroup"


class Witness:
    """Watches the sockets that it is handed. Their events come through an epoll that the load process arms and disarms."""

    def __init__(self, control: socket.socket, epoll: select.epoll, memory: mmap.mmap) -> None:
        self._control, self._epoll, self._memory = control, epoll, memory
        self._sockets: dict[int, socket.socket] = {}
        self._noted: dict[int, tuple[int, int]] = {}
        self._buffer = bytearray(_PEEK)
        control.setblocking(False)
        epoll.register(control.fileno(), select.EPOLLIN)

    def run(self) -> None:
        """Until the load process is gone."""
        own = self._control.fileno()
        while True:
            for number, _ in self._epoll.poll():
                if (number == own or number not in self._sockets) and not self._hear():
                    return
                if number in self._sockets:
                    self._look(number)

    def _hear(self) -> bool:
        """Take every message: a socket's number, with the socket to watch or without one to forget it."""
        while True:
            try:
                message, files, _, _ = socket.recv_fds(self._control, NUMBER.size, 1)
            except BlockingIOError:
                return True
            if not message:
                return False
            (number,) = NUMBER.unpack(message)
            old = self._sockets.pop(number, None)
            if old is not None:
                old.close()
            if files:
                self._sockets[number] = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, files[0])

    def _look(self, number: int) -> None:
        """Note how many bytes have come, and when the last of them did."""
        watched = self._sockets[number]
        try:
            info = watched.getsockopt(socket.IPPROTO_TCP, TCP_INFO, RECEIVED_AT + 8)
            received = NUMBER.unpack_from(info, RECEIVED_AT)[0]
            flags = socket.MSG_PEEK | socket.MSG_TRUNC | socket.MSG_DONTWAIT
            size, ancillary, _, _ = watched.recvmsg_into([self._buffer], 256, flags)
        except OSError:
            return
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING and 0 < size < _PEEK:
                seconds, nanoseconds = Struct("qq").unpack_from(data)
                self._note(number, received, seconds * 1_000_000_000 + nanoseconds)

    def _note(self, number: int, received: int, stamp: int) -> None:
        slot = number * SLOT
        (request,) = NUMBER.unpack_from(self._memory, slot)
        known, count = self._noted.get(number, (0, 0))
        count = count if known == request else 0
        if count < NOTES and stamp:
            NOTE.pack_into(self._memory, slot + NUMBER.size + count * NOTE.size, request, received, stamp)
            self._noted[number] = (request, count + 1)


def _go_first() -> None:
    """It has next to nothing to do, and that at once. A session of its own is, on many systems, a group of its own to the
    scheduler, within which alone a process's priority counts: the group is to come first too."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
    with suppress(OSError), open(AUTOGROUP, "w", encoding="ascii") as group:
        group.write(str(FIRST))


def main() -> None:
    """Watch, with the files that this process was started with."""
    _go_first()
    control, events, memory = (int(number) for number in sys.argv[1:4])
    own = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, control)
    Witness(own, select.epoll.fromfd(events), mmap.mmap(memory, MOST_SOCKETS * SLOT)).run()


if __name__ == "__main__":
    main()

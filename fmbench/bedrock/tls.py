"""TLS over bytes that are read elsewhere: what the kernel says of a segment holds of what the segment says.

A TLS socket of Python's reads from the socket itself, in two system calls a record, and has no place for the kernel's stamp.
urllib3's transport for TLS within TLS works on bytes in memory: here it is given those that were read with their stamp.
"""

from __future__ import annotations

import ssl
from _socket import socket as raw_socket
from contextlib import suppress
from functools import partial
from typing import Any

from urllib3.util.ssltransport import SSLTransport

from fmbench.bedrock.kernel_time import raw_beneath

_MOST_PLAIN = 16_384
"""No record says more."""


class Tls(SSLTransport):
    """A connection's TLS. Handshake and sending are urllib3's; so is reading with ``recv`` for who has no stamps."""

    def __init__(self, socket: Any, context: ssl.SSLContext, server_hostname: str | None = None) -> None:
        """Shakes hands. Raises ``ssl.SSLError``, ``OSError``."""
        self.raw = raw_beneath(socket)
        self.over = False
        """Whether nothing more can be read: the peer has said so, or ``fault`` is why."""
        self.fault: ssl.SSLError | None = None
        """What came after sound records, and was none."""
        super().__init__(socket, context, server_hostname)

    @property
    def unread(self) -> bool:
        """Whether this connection is good for nothing more: something came that was not asked for, or the end."""
        return self.over or self.incoming.pending > 0

    def opened(self, data: bytes) -> bytes:
        """What these bytes from the wire say, after those before them; nothing while their record is not whole.

        Raises ``ssl.SSLError`` for an alert, for what is no TLS, or was changed on its way; where something was said before that,
        it is given, and the error is ``fault``.
        """
        incoming, said = self.incoming, b""
        incoming.write(data)
        try:
            while incoming.pending and not self.over:
                record = self.sslobj.read(_MOST_PLAIN)
                self.over = not record
                said = said + record if said else record
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            if not said:
                raise
            self.over, self.fault = True, error
        if self.outgoing.pending:
            self._answer()
        return said

    def receive(self, size: int) -> bytes:
        """A read that does not wait: what came, nothing at the end. Raises ``BlockingIOError``: nothing whole is there."""
        assert self.raw is not None
        data = raw_socket.recv(self.raw, size)
        if not data and self.fault is not None:
            raise self.fault
        said = self.opened(data) if data else b""
        if data and not said and not self.over:
            raise BlockingIOError
        return said

    def _answer(self) -> None:
        """A few bytes that TLS itself wants sent: an alert, say. What cannot be sent stops no reading."""
        assert self.raw is not None
        with suppress(OSError):
            raw_socket.send(self.raw, self.outgoing.read())


def wrap_with(context: ssl.SSLContext) -> None:
    """Have connections that this context makes be of this kind."""
    make: Any = partial(_wrapped, context)
    context.wrap_socket = make  # type: ignore[method-assign]


def _wrapped(context: ssl.SSLContext, sock: Any, server_hostname: str | None = None) -> Tls:
    return Tls(sock, context, server_hostname)


def raw_of(sock: object) -> raw_socket | None:
    """The plain socket beneath a connection's; None: there is none."""
    return sock.raw if isinstance(sock, Tls) else raw_beneath(sock)

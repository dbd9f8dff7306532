"""Connections out of botocore's own pools: its TLS, CA bundles and proxies, with the time that connecting took.

botocore offers no public way to its pools; a test checks the private names used here against the installed version.
"""

from __future__ import annotations

from _socket import socket as raw_socket
from contextlib import suppress
from socket import MSG_DONTWAIT, MSG_PEEK, SHUT_RDWR
from time import monotonic_ns
from typing import Any
from urllib.parse import urlsplit
from weakref import finalize

from urllib3.util.wait import wait_for_read

from fmbench.bedrock.arrivals import Arrivals, arrivals_of, close_arrivals, open_arrivals
from fmbench.bedrock.client import trust
from fmbench.bedrock.tls import Tls, raw_of, wrap_with


class Connections:
    """The pool of one client's connections to the host of ``url``."""

    def __init__(self, client: Any, url: str) -> None:
        """Raises ``UnusableInput`` for a CA bundle that cannot be read."""
        session: Any = client._endpoint.http_session
        proxy_url = session._proxy_config.proxy_url_for(url)
        self._pool: Any = session._get_connection_manager(url, proxy_url).connection_from_url(url)
        session._setup_ssl_cert(self._pool, url, session._verify)
        self._tunnelled = proxy_url is not None and session._get_request_target(url, proxy_url) != url
        self._absolute = proxy_url is not None and not self._tunnelled
        self._proxy_headers = dict(session._proxy_config.proxy_headers_for(proxy_url)) if self._absolute else {}
        if not (self._tunnelled and str(proxy_url).startswith("https:")):  # a proxy's own TLS trusts what the pool names
            self._load_certificates_once()
        context = self._pool.conn_kw.get("ssl_context")
        if context is not None:
            wrap_with(context)
        self._idle: list[Any] = []
        """Open connections, the latest used last."""
        self._end = finalize(self, _drop_all, self._idle)

    def _load_certificates_once(self) -> None:
        """urllib3 loads the CA bundle again for every connection, some 10 ms each; the shared context keeps it."""
        if getattr(self._pool, "ca_certs", None):
            trust(self._pool.conn_kw["ssl_context"], self._pool.ca_certs)
            self._pool.ca_certs = None

    def target(self, url: str) -> str:
        """The request line's target: the path, or the whole URL for a proxy that forwards."""
        if self._absolute:
            return url
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def request_line(self, url: str) -> str:
        """The request line, and the password for a proxy that forwards, as its address holds it; a tunnel has it itself."""
        lines = (f"{name}: {value}\r\n" for name, value in self._proxy_headers.items())
        return f"POST {self.target(url)} HTTP/1.1\r\n{''.join(lines)}"

    def take(self) -> Any:
        """A connection that is open, or one that ``open`` has to open."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = None
        if connection is not None and not connection.is_closed and not _is_idle(connection.sock):
            self.drop(connection)
        return connection or self._pool._new_conn()

    def open(self, connection: Any, timeout_s: float) -> float:
        """Connect: DNS, TCP, proxy, TLS. Returns seconds. Raises urllib3's and ssl's errors."""
        started = monotonic_ns()
        connection.timeout = timeout_s
        if self._tunnelled:
            self._pool._prepare_proxy(connection)
        else:
            connection.connect()
        took = (monotonic_ns() - started) / 1e9
        open_arrivals(connection)
        return took

    def arrivals(self, connection: Any) -> Arrivals | None:
        """The kernel's stamps of an open connection, where there are any."""
        return arrivals_of(connection)

    def drop(self, connection: Any) -> None:
        """The connection carries no other request."""
        _drop(connection)

    def give_back(self, connection: Any) -> None:
        """The connection can carry another request."""
        if self._end.alive:
            self._idle.append(connection)
        else:
            self.drop(connection)

    def close(self) -> None:
        """Close those connections that wait for another request, and those that are given back from now on."""
        self._end()


def _drop(connection: Any) -> None:
    close_arrivals(connection)
    raw = raw_of(connection.sock)
    if raw is not None:
        with suppress(OSError):
            raw_socket.shutdown(raw, SHUT_RDWR)  # the witness may hold the socket for a while yet: the peer hears of the end now
    connection.close()


def _drop_all(idle: list[Any]) -> None:
    while idle:
        _drop(idle.pop())


def _is_idle(sock: Any) -> bool:
    """Whether an open connection has neither been closed by its peer nor holds bytes that nobody asked for.

    urllib3 asks ``poll`` for it, which under gevent costs a turn of the loop; a peek at the socket is one system call.
    """
    beneath = raw_of(sock)
    if isinstance(sock, Tls) and sock.unread:
        return False
    if beneath is None:
        return not wait_for_read(sock, timeout=0)
    try:
        raw_socket.recv(beneath, 1, MSG_PEEK | MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False

"""TLS with a certificate authority of its own, made when the endpoint starts and gone when it ends.

The certificates are made by the ``openssl`` program. TLS runs in memory over the plain transport, so that a write goes to the
socket within the call, as it does without TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import cast

from fmbench.core.failures import Refused
from fmbench.simulator.http import Connection

_READ = 65_536
_DAYS = "30"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


def make_authority(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """(the bundle that clients verify with, the server's context) for ``host``, localhost and 127.0.0.1.

    Raises ``Refused`` when there is no ``openssl`` program.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise Refused("simulator.tls: the openssl program is needed to make certificates: install it, or leave tls out")
    authority, server = folder / "ca.pem", folder / "server.pem"
    constraint = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    _certificate(openssl, authority, "/CN=FMBench endpoint CA", *constraint)
    names = f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1{_alternative(host)}"
    signed = ("-CA", str(authority), "-CAkey", str(authority.with_suffix(".key")))
    usage = ("-addext", names, "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth")
    _certificate(openssl, server, "/CN=localhost", *signed, *usage)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server, server.with_suffix(".key"))
    return authority, context


def _alternative(host: str) -> str:
    if host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::"):
        return ""
    return f",IP:{host}" if host.replace(".", "").isdecimal() or ":" in host else f",DNS:{host}"


def _certificate(openssl: str, path: Path, subject: str, *more: str) -> None:
    command = [openssl, "req", "-x509", *_KEY, "-days", _DAYS, "-subj", subject]
    command += ["-keyout", str(path.with_suffix(".key")), "-out", str(path), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"simulator.tls: openssl could not make a certificate: {done.stderr.strip().splitlines()[-1:]}")


class TlsProtocol(asyncio.Protocol):
    """Decrypts for a ``Connection``, and is the wire that the connection writes to."""

    def __init__(self, connection: Connection, context: ssl.SSLContext) -> None:
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._transport: asyncio.Transport | None = None
        self._shaken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection is there; the handshake is the client's to begin."""
        transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=0)
        self._transport = transport
        self._connection.attach(self, transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        """Take ciphertext from the wire."""
        self._incoming.write(data)
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
            self._read()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.close()
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """The client went away."""
        self._transport = None
        self._connection.connection_lost(error)

    def write(self, data: bytes) -> None:
        """Encrypt and send ``data``."""
        self._tls.write(data)
        self._flush()

    def close(self) -> None:
        """Say goodbye, and close when everything is sent."""
        if self._transport is not None:
            self._quietly(self._tls.unwrap)
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection without a goodbye."""
        if self._transport is not None:
            self._transport.abort()

    def _read(self) -> None:
        while data := self._tls.read(_READ):
            self._connection.data_received(data)
        self.close()

    def _flush(self) -> None:
        if self._transport is not None and self._outgoing.pending:
            self._transport.write(self._outgoing.read())

    @staticmethod
    def _quietly(call: Callable[[], object]) -> None:
        with contextlib.suppress(ssl.SSLError):
            call()

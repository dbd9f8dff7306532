"""The endpoint as a process: an event loop, a listening socket, one line that says where."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import os
import signal
import ssl
import stat
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from fmbench.core.failures import Refused
from fmbench.simulator.behaviour import Simulator
from fmbench.simulator.http import Connection
from fmbench.simulator.service import Service
from fmbench.simulator.timers import Timers
from fmbench.simulator.tls import TlsProtocol, make_authority

_BACKLOG = 4096


@dataclass(frozen=True)
class Address:
    """Where the endpoint listens; ``ca_bundle`` is the file to verify it with, when it speaks TLS."""

    url: str
    ca_bundle: str | None


def run(host: str, port: int, config: Simulator, announce: Callable[[Address], None]) -> None:
    """Serve until SIGINT or SIGTERM, or until stdin closes where that is a pipe; ``announce`` is called once it listens.

    Raises ``Refused`` when the address cannot be listened on.
    """
    _raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="fmbench-endpoint-") as folder:
        runner = asyncio.Runner(loop_factory=_loop_factory())
        with runner:
            runner.run(_serve(host, port, config, Path(folder), announce))


async def _serve(host: str, port: int, config: Simulator, folder: Path, announce: Callable[[Address], None]) -> None:
    loop = asyncio.get_running_loop()
    bundle, context = make_authority(folder, host) if config.tls else (None, None)
    service = Service(config, Timers(loop))
    listener = _Listener(service, context)
    try:
        server = await loop.create_server(listener, host, port, backlog=_BACKLOG)
    except OSError as error:
        raise Refused(f"simulator: cannot listen on {host}:{port}: {error.strerror or error}; give another --port") from error
    _calm_collector()
    stopped = asyncio.Event()
    _stop_on(loop, stopped)
    bound = server.sockets[0].getsockname()
    announce(Address(_url(context is not None, host, bound[1]), None if bundle is None else str(bundle)))
    await stopped.wait()
    server.close()
    listener.close_all()
    await asyncio.sleep(0)


class _Listener:
    """Makes a protocol for each connection, and knows those that are open."""

    def __init__(self, service: Service, context: ssl.SSLContext | None) -> None:
        self._service, self._context = service, context
        self._numbers = count(1)
        self._open: dict[int, Connection] = {}

    def __call__(self) -> asyncio.Protocol:
        number = next(self._numbers)
        connection = Connection(self._service.handle, number, lambda: self._closed(number))
        self._open[number] = connection
        return connection if self._context is None else TlsProtocol(connection, self._context)

    def _closed(self, number: int) -> None:
        del self._open[number]

    def close_all(self) -> None:
        """Close every connection."""
        for connection in list(self._open.values()):
            connection.close()


def _url(tls: bool, host: str, port: int) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{'https' if tls else 'http'}://{f'[{name}]' if _is_six(name) else name}:{port}"


def _is_six(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _raise_file_limit() -> None:
    """As many connections as the system lets this process have."""
    if sys.platform == "win32":
        return
    import resource

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _calm_collector() -> None:
    """No collection while answers are timed: the ledger grows to millions of objects, none of them in cycles."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _stop_on(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    if _stdin_is_pipe():
        loop.add_reader(0, lambda: None if os.read(0, 4096) else stopped.set())


def _stdin_is_pipe() -> bool:
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

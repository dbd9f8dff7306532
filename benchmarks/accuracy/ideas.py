"""``python -m benchmarks.accuracy.ideas``: ways to read many sockets, without any reader behind: CPU an event of each.

The same traffic from ``endpoint.c``, by turns: 256 streams (``--streams``) of 100 events, 10 ms apart. What they have in common
is the work of the kernel; what one saves over another is all that it could save in a run. Medians of the ratios, round by round.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import select  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from _socket import socket as raw_socket  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from socket import AF_INET, SOCK_STREAM  # noqa: E402
from statistics import median  # noqa: E402
from time import monotonic_ns  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import gevent.event  # noqa: E402
from gevent.hub import get_hub  # noqa: E402

from benchmarks.accuracy.reference import build_reference  # noqa: E402
from fmbench.bedrock.gathering import ENOUGH, Gathering  # noqa: E402
from fmbench.bedrock.kernel_time import SPACE, sent_stamp, stamp_in, stamp_socket  # noqa: E402

STREAMS, EVENTS, FIRST_MS, SPREAD_MS, GAP_US = 256, 100, 100, 400, 10_000
READ_SIZE = 65_536
REQUEST = b"POST /model/m/converse-stream HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
LAST = b"0\r\n\r\n"
Way = Callable[[list[raw_socket]], None]


def each_by_a_watcher(receive: Callable[[raw_socket], Any]) -> Way:
    """A watcher of gevent on each socket, one read a callback."""

    def read_all(sockets: list[raw_socket]) -> None:
        left, over = set(sockets), gevent.event.Event()
        watchers = {sock: get_hub().loop.io(sock.fileno(), 1) for sock in sockets}

        def on_readable(sock: raw_socket) -> None:
            data = receive(sock)
            monotonic_ns()
            if data.endswith(LAST):
                watchers.pop(sock).stop()
                left.discard(sock)
                if not left:
                    over.set()

        for sock, watcher in watchers.items():
            watcher.start(on_readable, sock)
        over.wait()

    return read_all


def all_by_one_epoll(sockets: list[raw_socket]) -> None:
    """One watcher on an epoll of our own: all sockets that are ready are read in one callback."""
    epoll = monkey.get_original("select", "epoll")() if not hasattr(select, "epoll") else select.epoll()
    ready, over = {sock.fileno(): sock for sock in sockets}, gevent.event.Event()
    for number in ready:
        epoll.register(number, 1)

    def on_ready() -> None:
        for number, _ in epoll.poll(0):
            data = ready[number].recv(READ_SIZE)
            monotonic_ns()
            if data.endswith(LAST):
                epoll.unregister(number)
                del ready[number]
        if not ready:
            over.set()

    watcher = get_hub().loop.io(epoll.fileno(), 1)
    watcher.start(on_ready)
    over.wait()
    watcher.stop()
    epoll.close()


_buffer = bytearray(READ_SIZE)
_view = memoryview(_buffer)


def _into(sock: raw_socket) -> bytes:
    return bytes(_view[: sock.recv_into(_buffer)])


def _with_its_stamp(sock: raw_socket) -> bytes:
    data, ancillary, _, _ = sock.recvmsg(READ_SIZE, SPACE)
    stamp_in(ancillary)
    return data


def gathered(way: Way) -> Way:
    """The same, with a loop that looks for bytes once a millisecond."""

    def read_all(sockets: list[raw_socket]) -> None:
        gathering = Gathering(get_hub().loop)
        for _ in range(ENOUGH):
            gathering.begin(stamped=True)
        assert gathering.on
        way(sockets)
        for _ in range(ENOUGH):
            gathering.end(stamped=True)

    return read_all


WAYS: dict[str, Way] = {
    "a watcher a socket, `recv` of 64 KiB": each_by_a_watcher(lambda sock: sock.recv(READ_SIZE)),
    "the same, `recv` of 4 KiB": each_by_a_watcher(lambda sock: sock.recv(4096)),
    "the same, `recv_into` one buffer, then the bytes": each_by_a_watcher(_into),
    "one callback for all sockets that are ready": all_by_one_epoll,
    "a watcher a socket, every read with its stamp": each_by_a_watcher(_with_its_stamp),
    "the first, gathered for a millisecond": gathered(each_by_a_watcher(lambda sock: sock.recv(READ_SIZE))),
    "with its stamp, gathered for a millisecond (as it is)": gathered(each_by_a_watcher(_with_its_stamp)),
    "one callback for all, gathered for a millisecond": gathered(all_by_one_epoll),
}


def once(way: Way, port: int, streams: int) -> float:
    """Microseconds of CPU an event, connecting and sending left out."""
    sockets = []
    for _ in range(streams):
        sock = raw_socket(AF_INET, SOCK_STREAM)
        sock.connect(("127.0.0.1", port))
        sock.setblocking(False)
        stamp_socket(sock)
        sockets.append(sock)
    for sock in sockets:
        sock.send(REQUEST)
        sent_stamp(sock)
    began = time.process_time_ns()
    way(sockets)
    took = time.process_time_ns() - began
    for sock in sockets:
        sock.close()
    return took / streams / EVENTS / 1e3


def main() -> None:
    """Measure by turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--streams", type=int, default=STREAMS)
    options = parser.parse_args()
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        program = build_reference(Path(folder))
        command = [str(program), *map(str, (EVENTS, FIRST_MS, SPREAD_MS, GAP_US))]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as endpoint:
            assert endpoint.stdout is not None
            port = int(endpoint.stdout.readline())
            for _ in range(options.repeats):
                rounds.append({name: once(way, port, options.streams) for name, way in WAYS.items()})
                print(json.dumps(rounds[-1]), file=sys.stderr, flush=True)
            endpoint.kill()
    first = next(iter(WAYS))
    print(f"load average {os.getloadavg()[0]:.0f}\n\n| way | CPU an event, µs | of the first |\n|---|--:|--:|")
    for name in WAYS:
        ratio = median(row[name] / row[first] for row in rounds)
        print(f"| {name} | {median(row[name] for row in rounds):.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()

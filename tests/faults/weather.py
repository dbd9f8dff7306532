"""An endpoint whose answers fail by shares: throttled, reset, dripped byte by byte, never ended; it counts what reaches it."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from tests.bedrock import by_hand
from tests.bedrock.scripted_server import Request, reset, scripted
from tests.faults.hostile import ANSWER, error

PACE_S = 0.15
"""How long a sound answer takes: some forty requests a second."""
THROTTLE = error("429 Too Many Requests", "ThrottlingException", "Too many requests, please wait before trying again.")
WEATHERS: tuple[dict[str, float], ...] = (
    {},
    {"throttle": 0.3},
    {"reset": 0.2},
    {"drip": 0.1},
    {"endless": 0.1},
    {"throttle": 0.1, "reset": 0.1, "drip": 0.05, "endless": 0.05},
)


@dataclass
class Endpoint:
    """Counts every request that reaches it, and answers as ``weather`` says: shares of answers that fail in each way."""

    random: Random
    weather: dict[str, float] = field(default_factory=dict)
    seen: int = 0
    given: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def answer(self, connection: socket.socket, request: Request) -> None:
        """One request."""
        with self.lock:
            self.seen += 1
            draw, kind = self.random.random(), "answer"
            for name, share in self.weather.items():
                draw -= share
                if draw < 0:
                    kind = name
                    break
            self.given[kind] += 1
        time.sleep(PACE_S)
        getattr(self, f"_{kind}")(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.sendall(ANSWER)

    def _throttle(self, connection: socket.socket) -> None:
        connection.sendall(THROTTLE)

    def _reset(self, connection: socket.socket) -> None:
        connection.sendall(ANSWER[: len(ANSWER) // 2])
        reset(connection)

    def _drip(self, connection: socket.socket) -> None:
        """A byte at a time: no deadline between bytes ever passes."""
        for at in range(len(ANSWER)):
            connection.sendall(ANSWER[at : at + 1])
            time.sleep(0.2)

    def _endless(self, connection: socket.socket) -> None:
        connection.sendall(by_hand.stream_head())
        piece = by_hand.chunk(by_hand.text("and so on"))
        while True:
            connection.sendall(piece)
            time.sleep(0.05)


@contextmanager
def endpoint(seed: str) -> Iterator[Endpoint]:
    """Serve until the block ends."""
    found = Endpoint(Random(f"{seed}:endpoint"))

    def script(connection: socket.socket, request: Request) -> None:
        server.requests.clear()  # only their number matters here
        found.answer(connection, request)

    with scripted(script) as server:
        found.url = server.url
        yield found

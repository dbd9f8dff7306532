"""An endpoint of our own that answers whatever a case wants, and counts every request that reached it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from tests.bedrock import by_hand
from tests.bedrock.scripted_server import Request, Scripted, scripted

ANSWER = by_hand.streamed(by_hand.answer_frames())
"""A whole answer of ConverseStream."""


@dataclass
class Asked:
    """One request as the endpoint saw it; ``number`` counts from 1."""

    number: int
    model: str
    text: str
    head: str


Answerer = Callable[[Asked], bytes | Iterator[bytes]]
"""The bytes to answer with, in pieces where they come one by one; none: the connection is closed."""


@dataclass
class Ledger:
    """Every request that reached the endpoint."""

    asked: list[Asked] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    url: str = ""

    def enter(self, request: Request) -> Asked:
        body = json.loads(request.body)
        model = request.head.split("/model/")[1].split("/")[0]
        with self.lock:
            asked = Asked(len(self.asked) + 1, model, body["messages"][0]["content"][0]["text"], request.head)
            self.asked.append(asked)
        return asked

    def __len__(self) -> int:
        return len(self.asked)


@contextmanager
def hostile(answer: Answerer) -> Iterator[Ledger]:
    """Serve until the block ends."""
    ledger = Ledger()

    def script(connection: socket.socket, request: Request) -> None:
        data = answer(ledger.enter(request))
        for piece in [data] if isinstance(data, bytes) else data:
            connection.sendall(piece) if piece else connection.close()

    server: Scripted
    with scripted(script) as server:
        ledger.url = server.url
        yield ledger


def error(status: str, code: str, message: str) -> bytes:
    """An error as AWS sends it."""
    body = json.dumps({"message": message}).encode()
    return by_hand.counted(body, status, x_amzn_ErrorType=code, x_amzn_RequestId="r1")


def stream(stop: object = "end_turn", text: str = "One", **metadata: object) -> bytes:
    """A whole answer with this stop reason, text and metadata."""
    frames = [by_hand.START, by_hand.text(text), by_hand.event("messageStop", {"stopReason": stop}), by_hand.metadata(**metadata)]
    return by_hand.streamed(frames)

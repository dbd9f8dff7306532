"""Answers read from bytes alone, through the whole of a call but its socket: for very many of them."""

from __future__ import annotations

from time import monotonic_ns
from typing import Any

from fmbench.bedrock.caller import Caller, _Call
from fmbench.bedrock.faults import Phase
from fmbench.core.records import Exchange
from tests.bedrock.asking import NOVA, SALT, Ask, caller_for, prompt

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
FAMILIES = {
    "anthropic": CLAUDE,
    "nova": NOVA,
    "llama": "meta.llama3-8b-instruct-v1:0",
    "mistral": "mistral.mistral-large-2402-v1:0",
    "titan": "amazon.titan-text-express-v1",
    "cohere": "cohere.command-r-v1:0",
    "ai21": "ai21.jamba-1-5-mini-v1:0",
}


class _FromBytes(_Call):
    """A call whose answer is ``pieces``, after which the peer closes."""

    pieces: list[bytes]

    def _send(self, data: bytes) -> None:
        self._phase = Phase.WAITING
        self._exchange.sent_ns = monotonic_ns()

    def _read(self) -> None:
        for piece in self.pieces:
            if self._reader.feed(piece, monotonic_ns()):
                return
        self._reader.end_of_input()
        if self._reader.head is None:
            raise ConnectionResetError("the connection was closed before an answer")


class Reading:
    """Reads answers of one model and API."""

    def __init__(self, api: str = "converse-stream", model: str = NOVA, keep_text: bool = False) -> None:
        ask = Ask("http://127.0.0.1:9", model={"id": model, "api": api}, keep_text=keep_text)
        self.caller: Caller = caller_for(ask)
        self.prepared: Any = self.caller.prepare(prompt(), salted=True)

    def __call__(self, *pieces: bytes) -> Exchange:
        """The exchange of an answer that comes in these pieces."""
        call = _FromBytes(self.caller, self.caller._connections, self.prepared)
        call.pieces = [*pieces]
        return call.run(SALT)

"""The work that every client does, and what it hands back."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

MODEL = "us.amazon.nova-lite-v1:0"
POSTED = {
    "messages": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "responses": "us.openai.gpt-6-sol",
    "chat": "openai.gpt-oss-120b-1:0",
}
"""The APIs whose streams are server-sent events, and a model of each."""
REGION = "us-east-1"
LIMIT_S = 240
"""No run takes longer: a client that is not done by then has failed."""


@dataclass(kw_only=True)
class Work:
    """So many streams, each sending its requests one after the other; their starts are spread evenly.

    The first request of a stream is there to make its connection: it is answered and accounted for like the others, and what it
    took counts as CPU, but not as a latency.
    """

    url: str
    ca_bundle: str | None = None
    streams: int = 64
    requests: int = 4
    """Of each stream, beside its first."""
    tokens: int = 100
    api: str = "converse-stream"
    """The API of fmbench's own rows."""
    starts_per_s: float = 128
    """Streams that start in a second: what an endpoint in Python makes connections for, over TLS too."""
    text: str = "Say something about the sea. " * 40

    @classmethod
    def from_arguments(cls) -> Work:
        """The work that this process was started for."""
        return cls(**json.loads(sys.argv[1]))

    @property
    def spread_s(self) -> float:
        """How long the streams take to start."""
        return max(1.0, self.streams / self.starts_per_s)

    def start_s(self, stream: int) -> float:
        """When a stream starts, seconds after the first."""
        return self.spread_s * stream / self.streams


@dataclass
class Row:
    """One request as a client saw it; nanoseconds of one clock. A client that tells only latencies has sent at 0."""

    request_id: str
    sent_ns: int
    first_ns: int
    last_ns: int
    events: int
    first_of_stream: bool = False
    read_ns: int | None = None
    """When the first content was read, where ``first_ns`` is the kernel's stamp of its arrival."""


@dataclass
class Done:
    """What a client did: CPU of its processes from the first request to the last answer, and a row a request."""

    cpu_ns: int
    rows: list[Row] = field(default_factory=list)

    @property
    def events(self) -> int:
        """Content events read."""
        return sum(row.events for row in self.rows)

    def print(self) -> None:
        """Hand it back on stdout."""
        print(json.dumps(asdict(self)))

    @classmethod
    def parse(cls, output: str) -> Done:
        """Read what a Python client printed."""
        found: dict[str, Any] = json.loads(output)
        return cls(found["cpu_ns"], [Row(**row) for row in found["rows"]])


Client = Callable[[Work], Done]


def environment(**more: str) -> dict[str, str]:
    """What a client's process is started with: this one's variables, keys that any local endpoint takes, and ``more``."""
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    return {name: value for name, value in os.environ.items() if name != "AWS_BEARER_TOKEN_BEDROCK"} | keys | more

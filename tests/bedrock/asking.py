"""Callers for tests: in this process with plain sockets, and in a process that gevent has patched."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from fmbench.bedrock.caller import Caller, Endpoint
from fmbench.config.schema import Inference, Model, Timeouts
from fmbench.core.failures import FailureKind
from fmbench.core.records import Exchange, Prompt, Usage

NOVA = "us.amazon.nova-lite-v1:0"
SALT = "123456789012345678"
PROMPT = "The quick brown fox, which nobody had asked, jumps over the lazy dog."


@dataclass
class Ask:
    """One request to make."""

    url: str | None
    ca_bundle: str | None = None
    model: dict[str, Any] = field(default_factory=lambda: {"id": NOVA})
    inference: dict[str, Any] = field(default_factory=lambda: {"max_tokens": 20})
    timeouts: dict[str, Any] = field(default_factory=dict)
    text: str = PROMPT
    keep_text: bool = False
    times: int = 1
    region: str | None = None


Asker = Callable[[Ask], list[Exchange]]
"""Makes a request as often as it says."""


def prompt(text: str = PROMPT) -> Prompt:
    """A prompt with this text."""
    return Prompt(prompt_id="p1", text=text, tokens=10, dataset="test", language="en")


def caller_for(ask: Ask) -> Caller:
    """The caller that an ask needs."""
    return Caller(
        Model.model_validate(ask.model),
        Inference.model_validate(ask.inference),
        ask.region,
        Timeouts.model_validate(ask.timeouts),
        pool_size=8,
        keep_text=ask.keep_text,
        endpoint=Endpoint(ask.url, ask.ca_bundle),
    )


def here(ask: Ask) -> list[Exchange]:
    """Ask from this process, with plain sockets."""
    caller = caller_for(ask)
    prepared = caller.prepare(prompt(ask.text), salted=True)
    return [caller.call(prepared, SALT) for _ in range(ask.times)]


class PatchedProcess:
    """A process patched by gevent that asks what it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, ask: Ask) -> list[Exchange]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(ask)) + "\n")
        self._process.stdin.flush()
        return [exchange_of(row) for row in json.loads(self._process.stdout.readline())]


def exchange_of(row: dict[str, Any]) -> Exchange:
    """An exchange that has been JSON."""
    row["usage"] = Usage(**row["usage"])
    row["failure"] = None if row["failure"] is None else FailureKind(row["failure"])
    return Exchange(**row)


@contextmanager
def patched_process() -> Iterator[PatchedProcess]:
    """Start one; it ends with the block."""
    command = [
        sys.executable,
        "-c",
        "from gevent import monkey; monkey.patch_all(); from tests.bedrock.asking import serve; serve()",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield PatchedProcess(process)
        assert process.stdin is not None
        process.stdin.close()


def serve() -> None:
    """Answer asks on stdin with exchanges on stdout, a line each; every ask's requests run at once in greenlets."""
    import gevent

    for line in iter(sys.stdin.readline, ""):
        ask = Ask(**json.loads(line))
        caller = caller_for(ask)
        prepared = caller.prepare(prompt(ask.text), salted=True)
        running = [gevent.spawn(caller.call, prepared, SALT) for _ in range(ask.times)]
        gevent.joinall(running, raise_error=True)
        print(json.dumps([asdict(greenlet.value) for greenlet in running]), flush=True)

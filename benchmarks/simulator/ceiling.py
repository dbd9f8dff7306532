"""How much the simulator can serve on one core, and how late it is: `python benchmarks/simulator/ceiling.py`.

Three trials against an endpoint process, with a client that only drains bytes (in this process, on the other core):

1. 256 streams at 100 tokens a second each, 100 tokens an answer: how late each event was written against the time that the model
   meant (the ledger's stamps; no jitter, so the meant times are known), and the endpoint's CPU per event;
2. 256 streams with 20 µs a token, more than can be written: stream events a second at full load;
3. answers of 100 tokens at once, whole and streamed, over 64 connections: requests a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
import uvloop
from numpy.typing import NDArray

from fmbench.simulator import RunningSimulator, start
from fmbench.simulator.behaviour import Simulator

PROMPT = "How are you? " * 150
BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": PROMPT}]}], "inferenceConfig": {"maxTokens": 100}})


@dataclass
class Trial:
    """One load: ``connections`` users, each sending ``requests`` one after the other."""

    operation: str
    connections: int
    requests: int
    spread_s: float = 0.0


class User(asyncio.Protocol):
    """Sends a request, drains the answer up to its end, sends the next."""

    def __init__(self, trial: Trial, done: asyncio.Future[None]) -> None:
        self.left, self.done = trial.requests, done
        head = f"POST /model/m/{trial.operation} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(BODY)}\r\n\r\n"
        self.request = (head + BODY).encode()
        self.end = b"0\r\n\r\n" if trial.operation.endswith("stream") else b"}}"
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.send()

    def send(self) -> None:
        if self.left == 0:
            self.transport.close()
            self.done.set_result(None)
            return
        self.left -= 1
        self.tail = b""
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-5:]
        if self.tail.endswith(self.end):
            self.send()


async def drive(url: str, trial: Trial) -> float:
    """Run ``trial`` against ``url``; seconds that it took."""
    loop = asyncio.get_running_loop()
    host, port = url.removeprefix("http://").split(":")
    started = time.perf_counter()
    waiting = []
    for _ in range(trial.connections):
        done = loop.create_future()
        await loop.create_connection(lambda done=done: User(trial, done), host, int(port))  # type: ignore[misc]
        waiting.append(done)
        await asyncio.sleep(trial.spread_s / trial.connections)
    await asyncio.gather(*waiting)
    return time.perf_counter() - started


def measure(profile: dict[str, Any], trial: Trial) -> tuple[list[dict[str, Any]], float, float]:
    """(ledger rows, seconds, CPU seconds of the endpoint) of one trial."""
    with start(Simulator.model_validate({"profile": profile})) as endpoint:
        uvloop.run(drive(endpoint.url, Trial(trial.operation, 1, 20)))  # warm the frame caches
        ask(endpoint, "reset", method="POST")
        process = psutil.Process(endpoint.pid)
        before = process.cpu_times()
        seconds = uvloop.run(drive(endpoint.url, trial))
        after = process.cpu_times()
        rows = [json.loads(line) for line in ask(endpoint, "ledger").splitlines()]
    return rows, seconds, (after.user + after.system) - (before.user + before.system)


def ask(endpoint: RunningSimulator, page: str, method: str = "GET") -> bytes:
    """A page of the endpoint's own."""
    request = urllib.request.Request(f"{endpoint.url}/_simulator/{page}", method=method)
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def paced(streams: int, requests: int) -> str:
    """Trial 1."""
    tpot_s = 0.01
    trial = Trial("converse-stream", streams, requests, spread_s=1.0)
    rows, seconds, cpu = measure({"ttft_s": 0.2, "tpot_s": tpot_s}, trial)
    late_ms = np.concatenate([lateness_ms(row, tpot_s) for row in rows])
    p50, p99 = np.percentile(late_ms, [50, 99])
    return (
        f"{streams} streams x 100 tokens/s: {late_ms.size / seconds:.0f} events/s, "
        f"written late by p50 {p50:.3f} ms, p99 {p99:.2f} ms; "
        f"{cpu / seconds:.0%} of a core, {cpu / late_ms.size * 1e6:.1f} us an event"
    )


def lateness_ms(row: dict[str, Any], tpot_s: float) -> NDArray[np.float64]:
    """How long after it was meant each event of an answer was written; without jitter and batch the meant times are known."""
    content = np.array(row["content_ns"])
    late: NDArray[np.float64] = (content - row["intended_first_ns"] - np.arange(content.size) * tpot_s * 1e9) / 1e6
    return late


def saturated(streams: int, requests: int) -> str:
    """Trial 2."""
    rows, seconds, cpu = measure({"ttft_s": 0.0, "tpot_s": 20e-6}, Trial("converse-stream", streams, requests))
    events = sum(row["stream_events"] for row in rows)
    return (
        f"{streams} streams, 20 us a token: {events / seconds:.0f} events/s, "
        f"{cpu / seconds:.0%} of a core, {cpu / events * 1e6:.1f} us an event"
    )


def at_once(connections: int, requests: int, operation: str) -> str:
    """Trial 3."""
    rows, seconds, cpu = measure({"ttft_s": 0.0, "tpot_s": 0.0}, Trial(operation, connections, requests))
    return (
        f"{operation} at once, {connections} connections: {len(rows) / seconds:.0f} requests/s, "
        f"{cpu / len(rows) * 1e6:.0f} us of CPU a request"
    )


def main() -> None:
    """Print the trials' results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=256)
    parser.add_argument("--requests", type=int, default=5, help="answers a stream")
    options = parser.parse_args()
    print(paced(options.streams, options.requests))
    print(saturated(options.streams, options.requests))
    print(at_once(64, 20 * options.requests, "converse"))
    print(at_once(64, 20 * options.requests, "converse-stream"))


if __name__ == "__main__":
    main()

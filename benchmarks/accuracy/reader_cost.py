"""``python -m benchmarks.accuracy.reader_cost``: what reading one event costs, by part, without sockets. Best of some rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from zlib import crc32

from fmbench.bedrock.apis import api_of
from fmbench.bedrock.http1 import ResponseReader
from fmbench.config.schema import Model
from fmbench.core.records import Exchange
from fmbench.simulator import frames

EVENTS = 2_000
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SSE = {
    "messages": b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"words "}}\n\n',
    "responses": b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","item_id":"msg_0123456789abcdef","output_index":0,"content_index":0,'
    b'"delta":"words ","sequence_number":1234,"logprobs":[]}\n\n',
    "chat": b'data: {"id":"chatcmpl-0123456789","object":"chat.completion.chunk","created":1790000000,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"words "},"finish_reason":null}]}\n\n',
}
ROUNDS = 15


def best_us(work: Callable[[], object], times: int) -> float:
    """Microseconds for one of ``times`` in the fastest round."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        work()
        rounds.append(time.perf_counter_ns() - began)
    return min(rounds) / times / 1e3


def read(pieces: list[bytes], api: str = "converse-stream") -> None:
    """A whole answer through the reader."""
    exchange = Exchange(started_ns=0)
    model = Model(id="amazon.nova-lite-v1:0", api=api)
    answer = api_of(model).answer(model)(exchange, False)
    reader = ResponseReader(answer.begin)
    for piece in pieces:
        reader.feed(piece, 1)
    assert len(exchange.content_ns) == EVENTS


def checksums(frame: bytes) -> None:
    """The message checksum of as many frames."""
    for _ in range(EVENTS):
        if crc32(frame[:-4]) != int.from_bytes(frame[-4:], "big"):
            raise AssertionError


def main() -> None:
    """Print the costs."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = frames.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "words "}, "p": "abcdefghijklmnopqrstu"})
    frame = chunk.partition(b"\r\n")[2][:-2]
    print(f"frame of {len(frame)} bytes")
    print(f"read, one event at a time: {best_us(lambda: read([head] + [chunk] * EVENTS), EVENTS):.2f} µs an event")
    print(f"read, all at once:         {best_us(lambda: read([head + chunk * EVENTS]), EVENTS):.2f} µs an event")
    for api, event in SSE.items():
        chunk, head = frames.chunk(event), SSE_HEAD
        one = best_us(lambda head=head, chunk=chunk, api=api: read([head] + [chunk] * EVENTS, api), EVENTS)
        print(f"read, one event at a time, {api}: {one:.2f} µs an event of {len(event)} bytes")
    print(f"of which message checksum: {best_us(lambda: checksums(frame), EVENTS):.2f} µs")


if __name__ == "__main__":
    main()

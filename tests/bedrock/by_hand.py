"""Event-stream frames and HTTP answers made from the specification alone: nothing of botocore, nothing of fmbench."""

from __future__ import annotations

import binascii
import json
import struct
from collections.abc import Iterable


def header(name: str, value: str) -> bytes:
    """A string header: name length, name, type 7, value length, value."""
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One frame, checksums included."""
    block = b"".join(header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    prelude += struct.pack(">I", binascii.crc32(prelude))
    body = prelude + block + payload
    return body + struct.pack(">I", binascii.crc32(body))


def event(name: str, content: object) -> bytes:
    """An event frame with a JSON payload."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(content, separators=(",", ":")).encode())


def exception(name: str, message: str) -> bytes:
    """An exception frame."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def error(code: str, message: str) -> bytes:
    """An error frame, whose facts are in its headers."""
    return frame({":error-code": code, ":error-message": message, ":message-type": "error"}, b"")


def text(words: str) -> bytes:
    """A text delta."""
    return event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": words}, "p": "abcd"})


START = event("messageStart", {"p": "ab", "role": "assistant"})
BLOCK_STOP = event("contentBlockStop", {"contentBlockIndex": 0})


def stop(reason: str = "end_turn") -> bytes:
    """messageStop."""
    return event("messageStop", {"p": "ab", "stopReason": reason})


def metadata(**more: object) -> bytes:
    """metadata with usage and latency."""
    usage = {"inputTokens": 13, "outputTokens": 3, "totalTokens": 16, "serverToolUsage": {}}
    return event("metadata", {"metrics": {"latencyMs": 522}, "usage": usage, "p": "abc"} | more)


def answer_frames() -> list[bytes]:
    """A whole answer: three deltas."""
    return [START, text("One"), text(" two"), text(" three"), BLOCK_STOP, stop(), metadata()]


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


NO_RECORD = b"\x17\x03\x03\x00\x20" + bytes(32)
"""What has the form of a TLS record, and is none."""
LAST_CHUNK = b"0\r\n\r\n"
STREAM = "application/vnd.amazon.eventstream"


def head(status: str = "200 OK", **headers: str) -> bytes:
    """Status line and headers; underscores in names stand for hyphens."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def stream_head() -> bytes:
    """The head of a chunked event stream."""
    return head(Content_Type=STREAM, Transfer_Encoding="chunked", x_amzn_RequestId="4b0e")


def streamed(frames: Iterable[bytes]) -> bytes:
    """A whole chunked answer, a chunk a frame."""
    return stream_head() + b"".join(chunk(each) for each in frames) + LAST_CHUNK


def counted(body: bytes, status: str = "200 OK", content_type: str = "application/json", **headers: str) -> bytes:
    """A whole answer with a content-length."""
    return head(status, Content_Type=content_type, Content_Length=str(len(body)), **headers) + body

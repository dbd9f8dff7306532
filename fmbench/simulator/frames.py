"""Event-stream messages as Bedrock sends them: prelude, headers, payload, both checksums, in one HTTP chunk each."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from struct import pack
from typing import Any
from zlib import crc32

import orjson

from fmbench.simulator.errors import ServiceError

LAST_CHUNK = b"0\r\n\r\n"
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def message(headers: bytes, payload: bytes) -> bytes:
    """One event-stream message around ``payload``; ``headers`` are already encoded."""
    prelude = pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + pack(">I", crc32(prelude)) + headers + payload
    return body + pack(">I", crc32(body))


def chunk(data: bytes) -> bytes:
    """``data`` as one chunk of HTTP's chunked transfer coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(name: str, content: dict[str, Any]) -> bytes:
    """The event ``name`` in a chunk of its own, with the padding member ``p`` that Bedrock adds."""
    return chunk(message(_headers(("event-type", name), ("message-type", "event")), _padded(content)))


def exception(problem: ServiceError) -> bytes:
    """An error within the stream, as a modelled exception in a chunk of its own."""
    name = problem.code[0].lower() + problem.code[1:]
    headers = _headers(("exception-type", name), ("message-type", "exception"))
    return chunk(message(headers, orjson.dumps(problem.content)))


def body_part(content: dict[str, Any]) -> bytes:
    """A part of an InvokeModelWithResponseStream body: the model's own JSON, base64 in the event ``chunk``."""
    return event("chunk", {"bytes": b64encode(orjson.dumps(content)).decode()})


def with_bad_checksum(chunked: bytes) -> bytes:
    """The same chunk with one bit of the message's checksum turned over."""
    return chunked[:-3] + bytes([chunked[-3] ^ 1]) + chunked[-2:]


@lru_cache(maxsize=64)
def _headers(kind: tuple[str, str], message_type: tuple[str, str]) -> bytes:
    pairs = (kind, ("content-type", "application/json"), message_type)
    return b"".join(_header(name, value) for name, value in pairs)


def _header(name: str, value: str) -> bytes:
    key, text = f":{name}".encode(), value.encode()
    return bytes([len(key)]) + key + b"\x07" + pack(">H", len(text)) + text


def _padded(content: dict[str, Any]) -> bytes:
    plain = orjson.dumps(content)
    length = 2 + crc32(plain) % (len(_PADDING) - 2)
    return b'%b,"p":"%b"}' % (plain[:-1], _PADDING[:length].encode())

"""Answers that come compressed, which nobody asked for: packed by Python's own gzip and zlib, read as they were written."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.core.failures import FailureKind as Word
from fmbench.core.records import Exchange
from tests.bedrock import by_hand
from tests.bedrock.reading import Reading
from tests.bedrock.test_event_variants import WHOLE, written
from tests.bedrock.test_foreign_events import KEPT, READ

STREAM = Reading()
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "GZIP": lambda body: gzip.compress(body[:40]) + gzip.compress(body[40:]),
    "gzip, identity": gzip.compress,
    "identity": bytes,
}


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("api", WHOLE)
def test_events_that_come_compressed_are_read(api: str, encoding: str) -> None:
    body = PACKED[encoding](written(WHOLE[api]))
    wire = by_hand.counted(body, content_type="text/event-stream", content_encoding=encoding)
    for size in (1, 7, 100_000):
        found = KEPT[api](*pieces(wire, size))
        assert (found.failure, found.text, found.usage.output_tokens, len(found.content_ns)) == (None, "One é☃", 6, 2)


def test_frames_flushed_one_by_one_keep_their_own_stamps() -> None:
    packer = zlib.compressobj(wbits=31)
    chunks = [packer.compress(frame) + packer.flush(zlib.Z_SYNC_FLUSH) for frame in by_hand.answer_frames()]
    head = by_hand.head(Content_Type=by_hand.STREAM, Transfer_Encoding="chunked", Content_Encoding="gzip")
    found = STREAM(head, *map(by_hand.chunk, [*chunks, packer.flush()]), by_hand.LAST_CHUNK)
    assert (found.failure, found.usage.output_tokens, len(set(found.content_ns))) == (None, 3, 3)


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=3000), cut=st.integers(min_value=1))
def test_a_whole_body_and_an_error_that_come_compressed(text: str, cut: int) -> None:
    usage = {"input_tokens": 9, "output_tokens": 6}
    answer = {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": usage}
    wire = by_hand.counted(gzip.compress(json.dumps(answer).encode()), content_encoding="gzip")
    assert READ["messages-whole"](*pieces(wire, 1 + cut % len(wire))).usage.output_tokens == 6
    error = gzip.compress(json.dumps({"error": {"type": "rate_limit_error", "message": "Too many tokens per day"}}).encode())
    found = READ["messages"](*pieces(by_hand.counted(error, "429 Too Many", content_encoding="gzip"), 1 + cut % 90))
    assert (found.failure, found.message) == (Word.THROTTLED_DAILY, "Too many tokens per day")


def read(body: bytes, encoding: str, status: str = "200 OK") -> Exchange:
    return READ["messages"](by_hand.counted(body, status, "text/event-stream", content_encoding=encoding))


def test_what_cannot_be_unpacked_has_its_word() -> None:
    packed = gzip.compress(written(WHOLE["messages"]))
    assert read(b"no gzip at all", "gzip").failure is Word.CORRUPT_FRAME
    assert read(packed[:60], "gzip").failure is Word.TRUNCATED
    assert read(packed, "br").failure is Word.BAD_RESPONSE
    assert read(b"\x0b\x02", "zstd", "503 Busy").failure is Word.SERVICE_UNAVAILABLE


def test_a_bomb_is_not_unpacked_to_its_end() -> None:
    bomb = zlib.compress(bytes(40 * 1024 * 1024), 9)
    assert read(bomb, "deflate").failure is Word.CORRUPT_FRAME

"""The reader: bytes in, events out; however the bytes are cut, the events are the same."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.bedrock.frames import CorruptFrame, FrameDecoder, parse_headers
from fmbench.bedrock.http1 import Head, NotHttp, ResponseReader
from tests.bedrock import by_hand

Events = list[tuple[bytes, bytes, int]]


class Body:
    """A sink that keeps what it is given, and the stamp of each piece."""

    def __init__(self) -> None:
        self.data = b""

    def content(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        self.data += data[start:end]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """``data`` cut at those places."""
    bounds = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[a:b] for a, b in pairwise(bounds) if a < b]


def read_body(pieces: list[bytes], closes: bool = False) -> tuple[ResponseReader, bytes]:
    body = Body()
    reader = ResponseReader(lambda head: body)
    for now, piece in enumerate(pieces):
        reader.feed(piece, now)
    if closes:
        reader.end_of_input()
    return reader, body.data


def read_frames(pieces: list[bytes]) -> tuple[ResponseReader, Events]:
    events: Events = []
    decoder = FrameDecoder(lambda headers, payload, now: events.append((headers, payload, now)))
    reader = ResponseReader(lambda head: decoder)
    for now, piece in enumerate(pieces):
        reader.feed(piece, now)
    return reader, events


payloads = st.lists(st.binary(max_size=300), min_size=1, max_size=12)
cuts = st.lists(st.integers(min_value=0), max_size=60)


@settings(max_examples=150, deadline=None)
@given(payloads, cuts, cuts)
def test_any_cut_of_the_same_bytes_gives_the_same_events(
    contents: list[bytes], chunk_cuts: list[int], wire_cuts: list[int]
) -> None:
    frames = b"".join(by_hand.frame({":event-type": f"e{number}"}, content) for number, content in enumerate(contents))
    wire = by_hand.stream_head() + b"".join(by_hand.chunk(piece) for piece in cut(frames, chunk_cuts)) + by_hand.LAST_CHUNK
    reader, events = read_frames(cut(wire, wire_cuts))
    assert [payload for _, payload, _ in events] == contents
    assert [parse_headers(headers) for headers, _, _ in events] == [{":event-type": f"e{n}"} for n in range(len(contents))]
    assert reader.done and reader.reusable and not reader.short
    assert reader.received == len(wire)


@settings(max_examples=60, deadline=None)
@given(cuts)
def test_an_event_is_stamped_with_the_bytes_that_make_it_whole(wire_cuts: list[int]) -> None:
    frames = by_hand.answer_frames()
    wire = by_hand.streamed(frames)
    pieces = cut(wire, wire_cuts)
    _, events = read_frames(pieces)
    arrived = [sum(len(piece) for piece in pieces[: now + 1]) for now in range(len(pieces))]
    for frame, (_, _, now) in zip(frames, events, strict=True):
        end_of_frame = wire.index(frame) + len(frame)
        assert arrived[now] >= end_of_frame
        assert now == 0 or arrived[now - 1] < end_of_frame


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), cuts, st.sampled_from(["counted", "chunked", "closed"]))
def test_bodies_come_out_as_they_went_in(content: bytes, wire_cuts: list[int], framing: str) -> None:
    if framing == "counted":
        wire = by_hand.counted(content)
    elif framing == "chunked":
        chunks = b"".join(by_hand.chunk(piece) for piece in cut(content, wire_cuts))
        wire = by_hand.head(Transfer_Encoding="chunked") + chunks + b"0;last\r\nTrailer: yes\r\n\r\n"
    else:
        wire = by_hand.head(Connection="close") + content
    reader, body = read_body(cut(wire, wire_cuts), closes=framing == "closed")
    assert body == content
    assert reader.done and not reader.short
    assert reader.reusable is (framing != "closed")


_SPELT = ("{:x}", "{:X}", "{:04x}", "{:x};a=b", "{:x} ")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.sampled_from(_SPELT)), max_size=8), cuts)
def test_a_chunk_a_read_is_the_same_as_any_other_cut(chunks: list[tuple[bytes, str]], places: list[int]) -> None:
    """RFC 9112, 7.1: the size is hexadecimal in either case, zeros may stand before it, and extensions after it."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [head, *(spelt.format(len(data)).encode() + b"\r\n" + data + b"\r\n" for data, spelt in chunks), b"0\r\n\r\n"]
    body = b"".join(data for data, _ in chunks)
    for read in (pieces, pieces, [b"".join(pieces)], cut(b"".join(pieces), places)):
        reader, found = read_body(read)
        assert (found, reader.done, reader.reusable) == (body, True, True)


@pytest.mark.parametrize("second", [b"5\r\nhellox\n", b"5\r\nhello!\r", b"6\r\nhello\r\n"])
def test_a_read_as_long_as_a_known_chunk_is_still_checked(second: bytes) -> None:
    pieces = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n",
        b"5\r\nhello\r\n",
        second,
        b"0\r\n\r\n",
    ]
    with pytest.raises(NotHttp):
        read_body(pieces)


def test_frames_like_a_known_delta_are_stamped_and_all_others_handed_on() -> None:
    handed: Events = []
    stamps: list[int] = []
    decoder = FrameDecoder(lambda headers, payload, now: handed.append((headers, payload, now)))
    deltas = [b'{"t":"a"}', b'{"t":"b"}', b'{"t":""}', b'{"t":"', b'{"u":"c"}', b'{"t":"d"}']
    frames = [by_hand.frame({}, payload) for payload in deltas]
    for now, frame in enumerate(frames):
        decoder.content(frame, 0, len(frame), now)
        if now == 0:
            decoder.expect(b"", b'{"t":"', stamps)
    assert [payload for _, payload, _ in handed] == [deltas[0], deltas[3], deltas[4]]
    assert stamps == [1, 5], "an empty text is no content"
    decoder.expect_nothing()
    decoder.content(frames[1], 0, len(frames[1]), 9)
    assert handed[-1] == (b"", deltas[1], 9)
    with pytest.raises(CorruptFrame):
        decoder.content(frames[1][:-1] + b"\0", 0, len(frames[1]), 10)


def test_the_head_says_what_the_server_said() -> None:
    heads: list[Head] = []
    wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Too Many\r\nX-A: 1\r\nx-a:2\r\nContent-Type: Text/HTML; q=1\r\n"
    wire += b"Content-Length: 0\r\n\r\n"

    def sink(head: Head) -> Body:
        heads.append(head)
        return Body()

    reader = ResponseReader(sink)
    assert reader.feed(wire, 5)
    assert [(head.status, head.get("x-a"), head.content_type) for head in heads] == [(429, "1,2", "text/html")]
    assert (reader.first_ns, reader.head_ns, reader.last_ns) == (5, 5, 5)


@pytest.mark.parametrize("pieces", [1, 7])
def test_interim_answers_without_end_are_no_answer(pieces: int) -> None:
    reader = ResponseReader(lambda head: Body())
    flood = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000
    with pytest.raises(NotHttp, match="without end"):
        for start in range(0, len(flood), 65_536 // pieces):
            reader.feed(flood[start : start + 65_536 // pieces], 5)


def test_two_lengths_are_one_only_where_they_say_the_same() -> None:
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: %d\r\n\r\nab"
    assert ResponseReader(lambda head: Body()).feed(wire % 2, 5)
    with pytest.raises(NotHttp, match="two content-lengths"):
        ResponseReader(lambda head: Body()).feed(wire % 1, 5)


@pytest.mark.parametrize(
    ("wire", "reusable"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nab", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nx", False),
        (b"HTTP/1.1 204 None\r\n\r\n", True),
    ],
)
def test_a_connection_is_reused_only_when_the_answer_ended_cleanly(wire: bytes, reusable: bool) -> None:
    reader, _ = read_body([wire])
    assert reader.done
    assert reader.reusable is reusable


@pytest.mark.parametrize("wire", [by_hand.streamed(by_hand.answer_frames())[:-1], by_hand.counted(b"{}")[:-1], b"HTTP/1.1 200 O"])
def test_an_end_before_the_end_is_short(wire: bytes) -> None:
    reader, _ = read_body([wire], closes=True)
    assert reader.short and not reader.done and not reader.reusable


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabXX",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 3000,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
    ],
)
def test_what_is_not_http_is_refused_however_it_is_cut(wire: bytes) -> None:
    for pieces in ([wire], [wire[at : at + 7] for at in range(0, len(wire), 7)]):
        with pytest.raises(NotHttp):
            read_body(pieces)


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_any_flipped_bit_is_found(place: int, bit: int) -> None:
    """One bit is flipped in a run of sound frames: an error, after the sound ones before it, and never another event."""
    frames = by_hand.answer_frames()
    data = bytearray(b"".join(frames))
    data[place % len(data)] ^= 1 << bit
    events: Events = []
    decoder = FrameDecoder(lambda headers, payload, now: events.append((headers, payload, now)))
    with pytest.raises(CorruptFrame):
        decoder.content(bytes(data), 0, len(data), 0)
    sound = [json.loads(frame[12 + int.from_bytes(frame[4:8], "big") : -4]) for frame in frames]
    assert [json.loads(payload) for _, payload, _ in events] == sound[: len(events)]


def test_impossible_lengths_are_refused_with_a_right_checksum() -> None:
    import binascii
    import struct

    for total, headers in ((15, 0), (16, 1), (2**31, 0), (200_000, 199_000)):
        lengths = struct.pack(">II", total, headers)
        prelude = lengths + struct.pack(">I", binascii.crc32(lengths))
        with pytest.raises(CorruptFrame):
            FrameDecoder(lambda *_: None).content(prelude, 0, 12, 0)


def test_headers_of_every_type_are_skipped_or_read() -> None:
    block = (
        b"\x01b\x00" + b"\x01i\x04\x00\x00\x00\x07" + b"\x01u\x09" + bytes(16) + b"\x01y\x06\x00\x02hi" + by_hand.header("s", "ü")
    )
    assert parse_headers(block) == {"s": "ü"}
    for end in (1, 4, 9, len(block) - 1):
        with pytest.raises(CorruptFrame):
            parse_headers(block[:end])

"""AWS's event-stream frames from bytes, whatever way the bytes are cut.

A frame: total length (4 bytes), headers' length (4), CRC of those eight (4), headers, payload, CRC of all before it (4);
big-endian, CRC-32. Source: https://smithy.io/2.0/aws/amazon-eventstream.html

Cost of checking, measured on frames of 230 bytes: the message CRC some 0.3 µs, the prelude CRC nothing, because a prelude that
was checked once is remembered by its own bytes (``benchmarks/accuracy/reader_cost.py`` shows both).
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from zlib import crc32

PRELUDE = 12
MIN_FRAME = PRELUDE + 4
MAX_HEADERS = 128 * 1024
MAX_PAYLOAD = 24 * 1024 * 1024
_REMEMBERED = 4_096
_LIKENESSES = 64
_lengths = Struct(">III").unpack
_checksum = Struct(">I").unpack_from
_QUOTE = ord('"')
_WRONG = "the checksum of a frame is wrong"


class CorruptFrame(Exception):
    """The bytes are not a sound event-stream frame."""


FrameHandler = Callable[[bytes, bytes, int], None]
"""Called with a frame's header bytes, its payload, and the stamp of the bytes that made it whole."""

_known_preludes: dict[bytes, tuple[int, int]] = {}
_known_beginnings: dict[bytes, dict[int, bytes]] = {}
"""By what text deltas have in common: what one of so many bytes in all begins with, its prelude among it."""


def _check_prelude(prelude: bytes) -> tuple[int, int]:
    """(total length, offset of the payload) from twelve bytes. Raises ``CorruptFrame``."""
    total, headers, checksum = _lengths(prelude)
    if crc32(prelude[:8]) != checksum:
        raise CorruptFrame("the checksum of a frame's prelude is wrong")
    payload = total - headers - MIN_FRAME
    if headers > MAX_HEADERS or not 0 <= payload <= MAX_PAYLOAD:
        raise CorruptFrame(f"impossible frame lengths: {total} in all, {headers} of headers")
    if len(_known_preludes) >= _REMEMBERED:
        _known_preludes.clear()
    _known_preludes[prelude] = (total, PRELUDE + headers)
    return total, PRELUDE + headers


def _beginnings_of(likeness: bytes) -> dict[int, bytes]:
    if likeness not in _known_beginnings and len(_known_beginnings) >= _LIKENESSES:
        _known_beginnings.clear()
    return _known_beginnings.setdefault(likeness, {})


class FrameDecoder:
    """Cuts a body into frames, checks them and hands them on. A ``Sink`` of ``http1``.

    Once it has been shown a text delta (``expect``), frames that begin like it are stamped at once and not handed on.
    """

    __slots__ = ("_beginnings", "_handler", "_likeness", "_needed", "_payload_at", "_rest", "_stamps")

    def __init__(self, handler: FrameHandler) -> None:
        self._handler = handler
        self._likeness = b""
        """Headers and payload of a text delta up to its text."""
        self._payload_at = 0
        """Where that payload begins; 0: no text delta is expected."""
        self._beginnings: dict[int, bytes] = {}
        """Of those that were seen, by their size."""
        self._stamps: list[int] = []
        self._rest = bytearray()
        self._needed = PRELUDE

    @property
    def unfinished(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return bool(self._rest)

    def expect(self, headers: bytes, before_text: bytes, stamps: list[int]) -> None:
        """More frames with these headers and this before their text may come: stamps of those with text go into ``stamps``."""
        self._likeness, self._stamps = headers + before_text, stamps
        self._payload_at = PRELUDE + len(headers)
        self._beginnings = _beginnings_of(self._likeness)

    def expect_nothing(self) -> None:
        """Hand every frame on again."""
        self._payload_at = 0
        self._beginnings = {}

    def content(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        """Take ``data[start:end]``. Raises ``CorruptFrame``."""
        beginning = self._beginnings.get(end - start)
        if beginning is None or self._rest or not data.startswith(beginning, start):
            return self._cut(data, start, end, now_ns)
        checked = end - 4  # one whole text delta, as it mostly is
        if crc32(data[start:checked]) != _checksum(data, checked)[0]:
            raise CorruptFrame(_WRONG)
        if data[start + len(beginning)] != _QUOTE:
            self._stamps.append(now_ns)

    def _cut(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        if self._rest:
            self._rest += data[start:end]
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
            start, end = 0, len(data)
        while end - start >= PRELUDE:
            prelude = data[start : start + PRELUDE]
            total, payload_at = _known_preludes.get(prelude) or _check_prelude(prelude)
            stop = start + total
            if stop > end:
                self._keep(data[start:end], total)
                return
            body_end = stop - 4
            if crc32(data[start:body_end]) != _checksum(data, body_end)[0]:
                raise CorruptFrame(_WRONG)
            if payload_at == self._payload_at and data.startswith(self._likeness, start + PRELUDE, body_end - 1):
                text_at = start + PRELUDE + len(self._likeness)
                if data[text_at] != _QUOTE:
                    self._stamps.append(now_ns)
                if total not in self._beginnings and len(self._beginnings) < _REMEMBERED:
                    self._beginnings[total] = data[start:text_at]
                start = stop
                continue
            self._handler(data[start + PRELUDE : start + payload_at], data[start + payload_at : body_end], now_ns)
            start = stop
        if start < end:
            self._keep(data[start:end], PRELUDE)

    def _keep(self, rest: bytes, needed: int) -> None:
        self._rest += rest
        self._needed = needed


def parse_headers(block: bytes) -> dict[str, str]:
    """A frame's headers; those that are not text are left out. Raises ``CorruptFrame``."""
    headers: dict[str, str] = {}
    position = 0
    try:
        while position < len(block):
            name_end = position + 1 + block[position]
            name = block[position + 1 : name_end].decode()
            kind = block[name_end]
            position, value = _header_value(block, name_end + 1, kind)
            if kind == _TEXT:
                headers[name] = value.decode()
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise CorruptFrame(f"a frame's headers cannot be read: {error}") from None
    return headers


_BYTES, _TEXT = 6, 7
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


def _header_value(block: bytes, start: int, kind: int) -> tuple[int, bytes]:
    """(where the value ends, its bytes)."""
    if kind in (_BYTES, _TEXT):
        length = (block[start] << 8) | block[start + 1]
        start += 2
    else:
        length = _FIXED[kind]
    end = start + length
    if end > len(block):
        raise IndexError("a value longer than its frame")
    return end, block[start:end]

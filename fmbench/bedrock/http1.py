"""HTTP/1.1 answers from bytes, whatever way the bytes are cut. No sockets, no clock: stamps come in with the bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAX_HEAD = 65_536
MAX_LINE = 1_024
MAX_ANSWER = 256 * 1024 * 1024
"""An answer of more bytes, head included, is not read on."""
MOST_DIGITS = 18
"""A length of more digits is none."""
_BLANK_LINE = b"\r\n\r\n"


class NotHttp(Exception):
    """The bytes are not an HTTP/1.x answer."""


class Sink(Protocol):
    """Takes the body's bytes as they arrive, without their framing."""

    def content(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        """``data[start:end]`` arrived at ``now_ns``."""


@dataclass(slots=True, frozen=True)
class Head:
    """Status line and headers; names in lower case, a repeated header's values joined by commas."""

    status: int
    minor_version: int
    headers: dict[str, str]

    def get(self, name: str) -> str:
        """The header's value, "" when it was not sent."""
        return self.headers.get(name, "")

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.get("content-type").partition(";")[0].strip().lower()

    @property
    def keeps_alive(self) -> bool:
        """Whether the server lets the connection carry another request."""
        connection = self.get("connection").lower()
        return "close" not in connection if self.minor_version else "keep-alive" in connection


def parse_head(block: bytes) -> Head:
    """The head from its bytes, without the blank line that ends it. Raises ``NotHttp``."""
    lines = block.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if version not in ("HTTP/1.1", "HTTP/1.0") or not (len(status) == 3 and status.isascii() and status.isdigit()):
        raise NotHttp(f"not an HTTP/1.x status line: {lines[0][:80]!r}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise NotHttp(f"not an HTTP header: {line[:80]!r}")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return Head(int(status), int(version[-1]), headers)


class ResponseReader:
    """One answer from its bytes: the head, then the body, unframed, into the sink that ``sink_for(head)`` names.

    ``feed`` returns True once the answer is whole; bytes after it make the connection unfit for reuse.
    """

    __slots__ = ("_chunk_left", "_left", "_lines", "_pending", "_sink", "_sink_for", "_step",
                 "done", "first_ns", "head", "head_ns", "last_ns", "received", "reusable", "short")  # fmt: skip

    def __init__(self, sink_for: Callable[[Head], Sink]) -> None:
        self._sink_for = sink_for
        self._sink: Sink
        self._step = self._read_head
        self._pending = b""
        self._left = 0
        self._chunk_left = 0
        self._lines: dict[int, bytes] = {}
        """``_lone_lines`` while the next byte begins a chunk; else nothing."""
        self.head: Head | None = None
        self.first_ns: int | None = None
        """When the first byte arrived."""
        self.head_ns: int | None = None
        self.last_ns: int | None = None
        """When the latest byte arrived."""
        self.received = 0
        self.done = False
        self.reusable = False
        self.short = False
        """Whether the input ended before the body's own length or last chunk."""

    def feed(self, data: bytes, now_ns: int) -> bool:
        """Take bytes that arrived at ``now_ns``; whether the answer is whole. Raises ``NotHttp`` and what the sink raises."""
        self.last_ns = now_ns
        size = len(data)
        self.received = received = self.received + size
        if received > MAX_ANSWER:
            raise NotHttp(f"an answer of more than {MAX_ANSWER} bytes")
        line = self._lines.get(size)
        if line is not None and data.startswith(line) and data.endswith(b"\r\n"):  # one whole chunk, as it mostly is
            self._sink.content(data, len(line), size - 2, now_ns)
            return False
        self._step(data, now_ns)
        return self.done

    def end_of_input(self) -> None:
        """The peer closed the connection. An answer without a length of its own is whole; any other is ``short``."""
        if self.head is not None and self._step == self._read_until_close:
            self.done = True
        self.short = not self.done
        self.reusable = False

    def _read_head(self, data: bytes, now_ns: int) -> None:
        if self.first_ns is None:
            self.first_ns = now_ns
        rest, head = self._pending + data, None
        while head is None or 100 <= head.status < 200:
            end = rest.find(_BLANK_LINE)
            if end < 0:
                return self._keep_partial_head(rest)
            head = parse_head(rest[:end])
            rest = rest[end + len(_BLANK_LINE) :]
        self._pending = b""
        self._begin_body(head, now_ns)
        if rest and not self.done:
            self._step(rest, now_ns)
        elif rest:
            self.reusable = False

    def _keep_partial_head(self, data: bytes) -> None:
        self._pending = data
        if len(data) > MAX_HEAD or not b"HTTP/1."[: len(data)] == data[:7]:
            raise NotHttp(f"not an HTTP/1.x answer: {data[:80]!r}")
        if self.received > MAX_HEAD + len(data):
            raise NotHttp("answers that announce another, without end")

    def _begin_body(self, head: Head, now_ns: int) -> None:
        self.head, self.head_ns = head, now_ns
        self._sink = self._sink_for(head)
        self.reusable = head.keeps_alive
        length = head.get("content-length")
        if "chunked" in head.get("transfer-encoding").lower():
            self._step = self._read_chunks
        elif head.status in (204, 304) or length == "0":
            self.done = True
        elif length:
            self._left = _length(length)
            self._step = self._read_counted
        else:
            self.reusable = False
            self._step = self._read_until_close

    def _read_counted(self, data: bytes, now_ns: int) -> None:
        taken = min(len(data), self._left)
        self._left -= taken
        self._sink.content(data, 0, taken, now_ns)
        self._finish_if(self._left == 0, surplus=taken < len(data))

    def _read_until_close(self, data: bytes, now_ns: int) -> None:
        self._sink.content(data, 0, len(data), now_ns)

    def _read_chunks(self, data: bytes, now_ns: int) -> None:
        if self._pending:
            data = self._pending + data
            self._pending = b""
        self._lines = {}
        position, size = 0, len(data)
        while position < size:
            if self._chunk_left:
                position = self._read_rest_of_chunk(data, position, now_ns)
                continue
            line_end = data.find(b"\r\n", position, position + MAX_LINE)
            if line_end < 0:
                return self._keep_partial_line(data, position)
            line = data[position:line_end]
            length = _known_sizes.get(line) or _chunk_size(line)
            if length == 0:
                self._step = self._read_trailer
                return self._read_trailer(data[line_end:], now_ns)
            position = line_end + 2
            stop = position + length
            if data[stop : stop + 2] == b"\r\n":  # the whole chunk is here
                self._sink.content(data, position, stop, now_ns)
                position = stop + 2
            else:
                self._chunk_left = length + 2
        if not self._chunk_left:
            self._lines = _lone_lines

    def _read_rest_of_chunk(self, data: bytes, position: int, now_ns: int) -> int:
        """Content that is left of a chunk begun before, and the line end after it; returns where reading goes on."""
        if self._chunk_left <= 2:
            return self._skip_line_end(data, position)
        stop = min(position + self._chunk_left - 2, len(data))
        self._sink.content(data, position, stop, now_ns)
        self._chunk_left -= stop - position
        return stop

    def _skip_line_end(self, data: bytes, position: int) -> int:
        stop = min(position + self._chunk_left, len(data))
        if data[position:stop] != b"\r\n"[2 - self._chunk_left :][: stop - position]:
            raise NotHttp("a chunk of the answer does not end where its size says")
        self._chunk_left -= stop - position
        return stop

    def _keep_partial_line(self, data: bytes, position: int) -> None:
        self._pending = data[position:]
        if len(self._pending) > MAX_LINE:
            raise NotHttp("a chunk size line that does not end")

    def _read_trailer(self, data: bytes, now_ns: int) -> None:
        """The last chunk's line end and trailer lines; ``data`` starts with the line end itself."""
        data = self._pending + data
        end = data.find(_BLANK_LINE)
        if end < 0:
            self._pending = data
            if len(data) > MAX_HEAD:
                raise NotHttp("a trailer that does not end")
            return
        self._finish_if(True, surplus=end + len(_BLANK_LINE) < len(data))

    def _finish_if(self, whole: bool, surplus: bool) -> None:
        self.done = whole
        if surplus:
            self.reusable = False


def _length(text: str) -> int:
    first, *others = (each.strip() for each in text.split(","))
    if others and {*others} != {first}:
        raise NotHttp(f"two content-lengths: {text[:40]!r}")
    if not (first.isascii() and first.isdigit() and len(first) <= MOST_DIGITS):
        raise NotHttp(f"not a content-length: {text[:40]!r}")
    return int(first)


_known_sizes: dict[bytes, int] = {}
"""Chunk sizes by their lines: a stream's chunks are of few sizes."""
_lone_lines: dict[int, bytes] = {}
"""What a read of so many bytes begins with if it is one whole chunk, as most reads are."""
_MAX_KNOWN = 4_096


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    try:
        size = int(digits, 16)
    except ValueError:
        raise NotHttp(f"not a chunk size: {line[:40]!r}") from None
    if size < 0 or not digits.isalnum():
        raise NotHttp(f"not a chunk size: {line[:40]!r}")
    if len(_known_sizes) < _MAX_KNOWN and len(line) < 16:
        _known_sizes[line] = size
        if size:
            _lone_lines[len(line) + size + 4] = line + b"\r\n"
    return size

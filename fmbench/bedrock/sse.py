"""Server-sent events from bytes, whatever way the bytes are cut. https://html.spec.whatwg.org/multipage/server-sent-events.html

An event is the lines up to an empty one; a line ends with LF, CR LF or CR. An event's stamp is that of the bytes that made it
whole.
"""

from __future__ import annotations

from collections.abc import Callable

from fmbench.bedrock.frames import CorruptFrame

MAX_EVENT = 32 * 1024 * 1024
_END = b"\n\n"
_BOM = b"\xef\xbb\xbf"
_LINE_FEED, _QUOTE = b'\n"'

EventHandler = Callable[[bytes, int], None]
"""Called with an event's lines, LF between them, and the stamp of the bytes that made it whole."""


class EventReader:
    """Cuts a body into events and hands them on. A ``Sink`` of ``http1``.

    Once it has been shown what text deltas look like (``expect``), those like it are stamped at once and not handed on: a
    search in a short event costs more than all else that is done with it.
    """

    __slots__ = ("_before", "_carriage", "_guard", "_guarded", "_handler", "_mark", "_marked", "_rest", "_rest_ns", "_stamps")

    def __init__(self, handler: EventHandler, mark: bytes = b"", guard: bytes = b"") -> None:
        self._handler = handler
        self._mark = mark
        """What stands right before a delta's text."""
        self._guard = guard
        """What a delta has that says no more than its text."""
        self._before: bytes | None = None
        """What such deltas begin with, as far as they are alike; None while none is expected."""
        self._marked = self._guarded = False
        """Whether that goes up to the text, and whether the guard is in it."""
        self._stamps: list[int] = []
        self._rest = bytearray()
        self._rest_ns = 0
        self._carriage = False
        """Whether the bytes before ended in a CR that counted as a line's end: an LF that follows belongs to it."""

    @property
    def unfinished(self) -> bool:
        """Whether an event has begun that has not ended."""
        return bool(self._rest.strip(b"\n"))

    def expect(self, delta: bytes, text_at: int, stamps: list[int]) -> None:
        """More deltas like this one, whose text begins at ``text_at``, may come: stamps of those with text go into ``stamps``."""
        likeness = delta[:text_at]
        self._before = before = likeness if self._before is None else _alike(self._before, likeness)
        self._marked, self._guarded = before.endswith(self._mark), self._guard in before
        self._stamps = stamps

    def expect_nothing(self) -> None:
        """Hand every event on again."""
        self._before = None

    def content(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        """Take ``data[start:end]``. Raises ``CorruptFrame``."""
        before = b"" if self._rest else self._before
        while before and data.startswith(before, start, end):
            text = start + len(before)
            stop = data.find(b"\n", text, end)
            if stop < 0 or stop + 1 >= end or data[stop + 1] != _LINE_FEED:
                break  # not whole, or of more lines
            if not self._marked:
                mark = data.find(self._mark, text, stop)
                if mark < 0:
                    break
                text = mark + len(self._mark)
            if not self._guarded and data.find(self._guard, text, stop) < 0:
                break
            if data[text] != _QUOTE:
                self._stamps.append(now_ns)
            start = stop + 2
            if start == end:
                return
        if start < end:
            self._cut(data, start, end, now_ns)

    def _cut(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        """Hand on the events in ``data[start:end]``, and keep what is left."""
        if self._carriage or data.find(b"\r", start, end) >= 0:
            data = self._with_line_feeds(data[start:end])
            start, end = 0, len(data)
        if self._rest:
            rest = self._rest
            searched = len(rest) - 1
            rest += data[start:end]
            if rest.find(_END, searched) < 0:
                if len(rest) > MAX_EVENT:
                    raise CorruptFrame(f"an event of more than {MAX_EVENT} bytes")
                self._rest_ns = now_ns
                return
            data = bytes(rest)
            rest.clear()
            start, end = 0, len(data)
        while (stop := data.find(_END, start, end)) >= 0:
            if stop > start:
                self._handler(data[start:stop], now_ns)
            start = stop + 2
        if start < end:
            self._rest += data[start:end]
            self._rest_ns = now_ns

    def rest(self) -> tuple[bytes, int] | None:
        """The lines of an event that has begun, and the stamp of its last bytes; None: there is none."""
        lines = bytes(self._rest.strip(b"\n"))
        return (lines, self._rest_ns) if lines else None

    def forget(self) -> None:
        """Leave out the event that has begun."""
        self._rest.clear()

    def _with_line_feeds(self, data: bytes) -> bytes:
        """The bytes with every line's end as LF."""
        if not data:
            return data
        if self._carriage:
            data = data.removeprefix(b"\n")
        self._carriage = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def fields_of(event: bytes) -> tuple[str, bytes]:
    """(event's name, its data) of an event's lines; an event without a name has "", and comments have no data."""
    name, data = "", []
    for line in event.removeprefix(_BOM).split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    return name, b"\n".join(data)


def _alike(one: bytes, other: bytes) -> bytes:
    """What both begin with."""
    return one[: next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))]

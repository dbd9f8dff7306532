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

EventHandler = Callable[[bytes, int], None]
"""Called with an event's lines, LF between them, and the stamp of the bytes that made it whole."""


class EventReader:
    """Cuts a body into events and hands them on. A ``Sink`` of ``http1``."""

    __slots__ = ("_carriage", "_handler", "_rest", "_rest_ns")

    def __init__(self, handler: EventHandler) -> None:
        self._handler = handler
        self._rest = bytearray()
        self._rest_ns = 0
        self._carriage = False
        """Whether the bytes before ended in a CR that counted as a line's end: an LF that follows belongs to it."""

    @property
    def unfinished(self) -> bool:
        """Whether an event has begun that has not ended."""
        return bool(self._rest.strip(b"\n"))

    def content(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        """Take ``data[start:end]``. Raises ``CorruptFrame``."""
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

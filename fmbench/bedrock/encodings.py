"""Bodies that are sent compressed although nobody asked for it: gateways do so. They are unpacked as they arrive."""

from __future__ import annotations

import zlib

from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.frames import CorruptFrame
from fmbench.bedrock.http1 import MAX_ANSWER, Head, Sink

_ANY_HEADER = 32 + zlib.MAX_WBITS
"""zlib's word for: gzip or zlib, as the bytes say."""
_GZIP, _ZLIB = "gzip", "deflate"
_AS_IT_IS = ("", "identity")
_PIECE = 1024 * 1024


class Unpacked:
    """Unpacks gzip and zlib on the way to another ``Sink``; what comes out has the stamp of the bytes that it came of."""

    __slots__ = ("_sink", "_unpacker", "_written")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._unpacker = zlib.decompressobj(_ANY_HEADER)
        self._written = 0

    def content(self, data: bytes, start: int, end: int, now_ns: int) -> None:
        """Take ``data[start:end]``. Raises ``CorruptFrame``, and what the sink raises."""
        rest = data[start:end]
        while rest:
            if self._unpacker.eof:  # gzip may be of several members
                self._unpacker = zlib.decompressobj(_ANY_HEADER)
            try:
                plain = self._unpacker.decompress(rest, _PIECE)
            except zlib.error as error:
                raise CorruptFrame(f"the body cannot be unpacked: {error}") from None
            rest = self._unpacker.unconsumed_tail or self._unpacker.unused_data
            self._written += len(plain)
            if self._written > MAX_ANSWER:
                raise CorruptFrame(f"an answer of more than {MAX_ANSWER} bytes, unpacked")
            if plain:
                self._sink.content(plain, 0, len(plain), now_ns)


def unpacked(head: Head, sink: Sink) -> Sink:
    """Where the body of an answer with this head goes to reach ``sink`` as it was written.

    Raises ``BadResponse`` for an encoding that is not known. The body of an error may stay as it is: its status tells the most.
    """
    names = [name.strip().lower().removeprefix("x-") for name in head.get("content-encoding").split(",")]
    for name in names:
        if name in (_GZIP, _ZLIB):
            sink = Unpacked(sink)
        elif name not in _AS_IT_IS and head.status == 200:
            raise BadResponse(f"a body in the encoding {name[:40]!r}, which was not asked for")
    return sink

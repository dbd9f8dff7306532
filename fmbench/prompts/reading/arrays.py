"""One JSON array of objects, read an object at a time: what LongBench v2 and many other datasets are kept as."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from fmbench.core.failures import UnusableInput

_PIECE = 1 << 20
_BETWEEN = " \t\r\n,"
_DECODER = json.JSONDecoder()


def array_items(stream: BinaryIO, name: str, longest: int) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Each object of the array, its number (from 1) and the bytes read so far. Raises ``UnusableInput`` with its number."""
    reader = _Text(stream, name, longest)
    reader.skip_to_items()
    number = 0
    while (item := reader.item(number + 1)) is not None:
        number += 1
        yield item, number, reader.done


class _Text:
    """What has been read of the array and not been taken."""

    def __init__(self, stream: BinaryIO, name: str, longest: int) -> None:
        self._stream, self._name, self._longest = stream, name, longest
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._held = ""
        self._ended = False
        self.done = 0

    def skip_to_items(self) -> None:
        self._more("the start")
        self._held = self._held.lstrip()[1:]

    def item(self, number: int) -> dict[str, Any] | None:
        """The next object; None at the array's end."""
        where = f"{self._name} row {number}"
        while True:
            self._held = self._held.lstrip(_BETWEEN)
            if self._held.startswith("]"):
                return None
            value, why = self._decoded()
            if isinstance(value, dict):
                return value
            if value is not None:
                raise UnusableInput(f"{where}: is a JSON {type(value).__name__}, not an object: each row must be one JSON object")
            if self._ended:
                raise UnusableInput(f"{where}: is not JSON ({why}): the file is one JSON array that is damaged or cut off there")
            if len(self._held) > self._longest:
                raise UnusableInput(f"{where}: is not JSON, or longer than {self._longest >> 20} MiB: {why}")
            self._more(where)

    def _decoded(self) -> tuple[Any, str]:
        """The value that the text begins with, if it is whole, else why not."""
        if self._held and self._held[0] not in '{["' and not self._ended and not set(self._held) & set("],"):
            return None, "a number or a word may go on"
        try:
            value, end = _DECODER.raw_decode(self._held)
        except (ValueError, RecursionError) as error:
            return None, str(error)
        self._held = self._held[end:]
        return value, ""

    def _more(self, where: str) -> None:
        """Read on: as much again as is held, so that a long object is not begun over too often."""
        data = self._stream.read(max(_PIECE, len(self._held)))
        self.done += len(data)
        self._ended = not data
        try:
            self._held += self._decode.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise UnusableInput(f"{where}: is not UTF-8 ({error.reason}): save the file as UTF-8") from error

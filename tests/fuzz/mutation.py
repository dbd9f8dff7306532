"""Malformed input from sound input, by a seed: bytes, JSON values, and the pieces in which bytes arrive."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 5.5, -0.0, 1e308, -1e308, 2**31, 2**53, 2**63, 2**64 - 1, 2**63 + 5, 2**70, 10**40),
    *(
        "",
        " ",
        "5",
        "end_turn",
        "\ud83d",
        "a\x00b",
        "\x1b[2J",
        "\u202e",
        "é" * 300,
        "x" * 5000,
        "=HYPERLINK()",
        "../../x",
        "null",
    ),
    *([], [1], {}, {"a": 1}, [[]], [{}], {"text": {}}, {"type": []}, [None], {"": None}),
]
"""What turns up where something else was meant. Half a character, 2^70 and the like are sound in Python and in some JSON."""

MAGIC = [b"\x00", b"\xff", b"\r\n", b"\n", b"\n\n", b"\r", b":", b"{", b"}", b"[", b'"', b"\\", b"0", b"-1", b"\xef\xbb\xbf"]
MAGIC += [
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 99999999999\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"data: ",
    b"event: ",
]
MAGIC += [b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"9" * 5000, b"ffffffffffffffff\r\n", b"\xed\xa0\xbd", b"\\ud83d", b"e999"]
MAGIC += [
    b"!!int ",
    b"!!float ",
    b"!!python/object:os.system ",
    b"&a ",
    b"*a",
    b"<<: ",
    b"? ",
    b"- ",
    b"%",
    b"---\n",
    b"\t",
    b"[" * 5000,
    b'{"a":' * 2000,
]


class Mutator:
    """Everything that it does follows from its seed."""

    def __init__(self, seed: int | str) -> None:
        self.random = Random(seed)

    def bytes(self, data: bytes) -> bytes:
        """``data`` with one to four faults in it; sometimes none."""
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 2, 3, 4))):
            data = self._one(data)
        return data

    def _one(self, data: bytes) -> bytes:
        chance = self.random
        at, to = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
        what = chance.randrange(8)
        if what == 0 and data:
            at = min(at, len(data) - 1)
            return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        if what == 1:
            return data[:at] + data[to:]
        if what == 2:
            return data[:to] + data[at : min(to, at + 200)] + data[to:]
        if what == 3:
            return data[:at]
        if what == 4:
            return data[:at] + chance.choice(MAGIC) + data[at:]
        if what == 5:
            return data[:at] + chance.choice(MAGIC) + data[min(len(data), at + chance.randrange(1, 9)) :]
        if what == 6:
            return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]
        return data[at:to] if chance.random() < 0.1 else data[:at] + chance.choice(MAGIC) * chance.randrange(1, 30) + data[at:]

    def json(self, value: Any) -> Any:
        """A copy of ``value`` with one to three of its values, or their names, changed."""
        value = copy.deepcopy(value)
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 3))):
            value = self._changed(value)
        return value

    def _changed(self, value: Any) -> Any:
        places = list(_places(value))
        if not places:
            return self.odd()
        holder, key = self.random.choice(places)
        what = self.random.randrange(6)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder, dict):
            holder[self.random.choice(("type", "usage", "delta", "", "\ud83d", "x" * 300))] = holder.pop(key)
        elif what == 2:
            holder[key] = [holder[key]] if self.random.random() < 0.5 else {"a": holder[key]}
        elif what == 3:
            other, where = self.random.choice(places)
            holder[key] = copy.deepcopy(other[where]) if where in other or isinstance(other, list) else self.odd()
        else:
            holder[key] = self.odd()
        return value

    def odd(self) -> Any:
        """A value that nobody expects; now and then one that is deep."""
        if self.random.random() < 0.02:
            deep: Any = 1
            for _ in range(self.random.choice((20, 150))):
                deep = [deep] if self.random.random() < 0.5 else {"a": deep}
            return deep
        return copy.deepcopy(self.random.choice(ODD_VALUES))

    def pieces(self, data: bytes) -> list[bytes]:
        """``data`` as it may arrive."""
        if self.random.random() < 0.5:
            return [data]
        if self.random.random() < 0.05:
            return [bytes([byte]) for byte in data[:3000]]
        cuts = sorted({self.random.randrange(len(data) + 1) for _ in range(self.random.randrange(1, 8))} | {0, len(data)})
        return [data[a:b] for a, b in pairwise(cuts)]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of every value below ``value``, nesting without recursion."""
    left = [value]
    while left:
        holder = left.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else []
        for key in keys:
            yield holder, key
            left.append(holder[key])

"""Columns that are taken on demand hold what their source holds, however little room there is for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fmbench.core.columns import Chosen, Columns, Joined, Kept, Words
from fmbench.core.quantiles import Floats

EVEN = np.arange(100) % 2 == 0


class Counted(Columns[Any]):
    """A source that counts how often it was asked."""

    def __init__(self, room: int) -> None:
        self.kept = Kept(room)
        self.asked: list[str] = []

    def names(self) -> Sequence[str]:
        return ["a", "b", "c"]

    def take(self, name: str) -> Floats:
        self.asked.append(name)
        return np.arange(100.0) + ord(name)


@pytest.mark.parametrize("room", [1, 800, 1_000_000])
def test_rows_of_rows_are_the_same_in_any_room(room: int) -> None:
    chosen = Chosen(Chosen(Counted(room), EVEN), slice(10, 20))
    for name in "abcab":
        np.testing.assert_array_equal(chosen[name], (np.arange(100.0) + ord(name))[EVEN][10:20])


def test_what_there_is_room_for_is_taken_once_and_what_was_not_used_longest_goes() -> None:
    source = Counted(1_700)  # two columns of 800 bytes
    for name in "aabaca":
        _ = source[name]
    assert source.asked == ["a", "b", "c"]
    _ = source["b"]
    assert source.asked == ["a", "b", "c", "b"]


def test_repeats_are_one_after_the_other_and_numbered() -> None:
    words = Words(np.array([0, -1], dtype=np.int32), ("x",))
    numbers = Joined([Counted(10_000), Chosen(Counted(10_000), EVEN)], {"block": np.repeat([0.0, 1.0], [100, 50])})
    assert [*numbers] == ["a", "b", "c", "block"]
    np.testing.assert_array_equal(numbers["a"], [*np.arange(100.0) + 97, *(np.arange(100.0) + 97)[EVEN]])
    assert numbers["block"].sum() == 50
    both = Joined([{"w": words}, {"w": words}])["w"]
    assert (both.codes.tolist(), both.names) == ([0, -1, 0, -1], ("x",))


def test_a_column_that_is_not_there_is_none() -> None:
    assert Joined([{"a": EVEN}]).get("block") is None
    assert Chosen({"a": EVEN}, slice(3)).get("block") is None

"""Pieces of columns: each is read once, by the thread that reads ahead or by who asks first."""

from __future__ import annotations

from threading import Event, Lock, get_ident

import numpy as np
import pytest

from fmbench.core.columns import Kept
from fmbench.storage.pieces import Key, Piece, Pieces

ROOM = 1 << 20


class Source:
    """Gives made-up columns, and knows who read which. Group 1 is held back until it may go on."""

    def __init__(self) -> None:
        self.readers: dict[Key, list[int]] = {}
        self.at_one, self.go_on = Event(), Event()
        self._lock = Lock()

    def read(self, group: int, name: str) -> Piece:
        with self._lock:
            self.readers.setdefault((group, name), []).append(get_ident())
        if group == 1:
            self.at_one.set()
            assert self.go_on.wait(10)
        return np.arange(3) + group

    def pieces(self) -> Pieces:
        return Pieces(self.read, Kept(ROOM))


@pytest.fixture
def source() -> Source:
    return Source()


def test_what_the_thread_has_not_come_to_is_read_by_who_asks_and_nothing_twice(source: Source) -> None:
    pieces = source.pieces()
    pieces.read_ahead([(0, "a"), (1, "a"), (2, "a")])
    assert source.at_one.wait(10)
    assert pieces.get(2, "a").tolist() == [2, 3, 4]
    source.go_on.set()
    assert [pieces.get(group, "a").tolist() for group in (0, 1, 2)] == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    here = get_ident()
    assert [[reader == here for reader in source.readers[group, "a"]] for group in (0, 1, 2)] == [[False], [False], [True]]


def test_what_nobody_reads_ahead_is_read_when_it_is_asked_for(source: Source) -> None:
    pieces = source.pieces()
    assert pieces.get(5, "a").tolist() == pieces.get(5, "a").tolist() == [5, 6, 7]
    assert source.readers == {(5, "a"): [get_ident()]}


def test_what_is_not_worth_its_room_is_read_again(source: Source) -> None:
    pieces = source.pieces()
    pieces.get(5, "a", keep=False)
    pieces.get(5, "a")
    assert len(source.readers[5, "a"]) == 2


def test_a_fault_of_the_thread_is_raised_where_its_piece_is_asked_for() -> None:
    def broken(group: int, name: str) -> Piece:
        raise OSError(f"{name} of {group} is gone")

    pieces = Pieces(broken, Kept(ROOM))
    pieces.read_ahead([(3, "a")])
    with pytest.raises(OSError, match="a of 3 is gone"):
        pieces.get(3, "a")

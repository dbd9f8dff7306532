"""What became of a window's requests, by slices of time and by users: counts that objectives can be judged by, however many there
are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fmbench.core.failures import TIMEOUTS, Answered, Outcome
from fmbench.core.figures.latencies import BY_KEY
from fmbench.core.records import Record

SENT, ENDED, FAILED, OK, USD, PRICED, COMPLETED, TOLD, TEXT, DROPPED, USERS = range(11)
"""Places in a slice's row. ``COMPLETED`` answers ended in the slice; all else is of the requests that were sent in it. ``TOLD``
answers are known to be text or not; ``DROPPED`` were due in it and could not be started; ``USERS``
are how many users of a closed loop a row by users is of. After them come two a latency limit: answers that have this latency, and
those within the limit."""
PLACES = 11
MOST_USERS = 32
"""Users are counted one by one up to so many, and beyond in so many groups: those whose slots leave the same remainder."""

Row = list[float]


@dataclass(frozen=True, slots=True)
class Counting:
    """How to count: slices of ``slice_s`` seconds, and latency limits as ``(metric, seconds)``."""

    slice_s: float
    limits: tuple[tuple[str, float], ...]

    @property
    def empty_row(self) -> Row:
        """A slice in which nothing happened."""
        return [0.0] * (PLACES + 2 * len(self.limits))


@dataclass(frozen=True, slots=True)
class Slices:
    """The counts of one window in one process. ``rows``: a slice's number from the window's begin → its row; ``users``: a user's
    slot (or its group) → what all slices together have of the requests that it has seen end."""

    counting: Counting
    rows: dict[int, Row]
    users: dict[int, Row] = field(default_factory=dict)

    def of_users(self, slots: Iterable[int]) -> None:
        """These users set their own pace: they are a closed loop's."""
        for slot in slots:
            self._user(slot)[USERS] += 1

    def sent(self, after_s: float) -> int:
        """A request goes out so long after the window began. Returns its slice."""
        number = int(after_s / self.counting.slice_s)
        self._row(number)[SENT] += 1
        return number

    def dropped(self, after_s: float) -> None:
        """A request was due so long after the window began, and could not be started."""
        self._row(int(after_s / self.counting.slice_s))[DROPPED] += 1

    def ended(self, number: int, record: Record) -> None:
        """A request of slice ``number`` is over."""
        for row in (self._row(number), self._user(record.user)):
            self._count(row, record)

    def _count(self, row: Row, record: Record) -> None:
        row[ENDED] += 1
        row[USD] += record.usd or 0.0
        if record.outcome == Outcome.OK:
            row[OK] += 1
            row[PRICED] += record.usd is not None
            row[TOLD] += record.answered is not None
            row[TEXT] += record.answered == Answered.TEXT
        else:
            row[FAILED] += 1
        for place, (key, limit) in enumerate(self.counting.limits):
            value = latency_of(record, key)
            if value is not None:
                row[PLACES + 2 * place] += 1
                row[PLACES + 2 * place + 1] += value <= limit

    def completed(self, after_s: float, record: Record) -> None:
        """An answer was whole so long after the window began, whenever it was asked for."""
        self._row(int(after_s / self.counting.slice_s))[COMPLETED] += 1
        self._user(record.user)[COMPLETED] += 1

    def _row(self, number: int) -> Row:
        return self._row_in(self.rows, number)

    def _user(self, slot: int) -> Row:
        return self._row_in(self.users, slot % MOST_USERS)

    def _row_in(self, rows: dict[int, Row], number: int) -> Row:
        row = rows.get(number)
        if row is None:
            row = rows[number] = self.counting.empty_row
        return row


def latency_of(record: Record, key: str) -> float | None:
    """What counts as the request's latency: infinite where it timed out before this was seen; None where it has none."""
    latency = BY_KEY[key]
    value: float | None = getattr(record, latency.column)
    return latency.of_request(value, record.outcome == Outcome.OK, record.failure in TIMEOUTS)


def merged(parts: Iterable[dict[int, Row]]) -> dict[int, Row]:
    """The slices, or users, of several processes as one's."""
    result: dict[int, Row] = {}
    for part in parts:
        for number, row in part.items():
            result[number] = [a + b for a, b in zip(result[number], row, strict=True)] if number in result else [*row]
    return result

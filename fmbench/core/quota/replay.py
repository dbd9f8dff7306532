"""What a log of requests says of a quota: under a guess of how it works, every admitted and every refused request bounds its
size.

A guess holds the kind of window, whether ``max_tokens`` is reserved, and the weight of an output token. Each request then had a
known need on top of what was in use; an admitted one says that the quota is at least that, a refused one that it is less. The
right guess is contradicted by none of them, where it is known when each was decided. On a busy machine requests are late, pass
others and are read late, so that a few say no to the right guess too, but by little: what says no by more weighs more.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmbench.core.quota.burst import Seen as Seen

Window = Literal["bucket", "rolling", "clock"]
Word = str
"""``requests``, ``tokens`` or ``daily``."""
MINUTE_S = 60.0
TINY = 1e-6
"""What rounding may make of a token."""
CLEAR = 0.1
"""A request that would have needed so much more than a quota's size, or so much less, says no for certain, …"""
SLIGHT = 0.05
"""… and one that does by nothing at all with this weight."""
GRIDS = (400, 60, 60)
"""How many sizes are tried at once where a size has to be tried: first over all that may be, then between the best of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How a quota may work."""

    window: Window
    reserves: bool = True
    burndown: float = 1.0

    def reserved(self, seen: Seen) -> float:
        """Tokens that a request takes at admission."""
        return seen.input_tokens + (seen.max_tokens if self.reserves else 0)

    def settled(self, seen: Seen) -> float:
        """Tokens that it has taken when it is over."""
        return seen.input_tokens + self.burndown * seen.output_tokens


@dataclass(frozen=True, slots=True)
class Fit:
    """A quota's size by one guess: ``size``, at least ``low``, less than ``high`` (inf: nothing was refused), and the weight of
    the requests that say no to it, of which a certain one has 1."""

    size: float
    low: float
    high: float
    against: float


def fit_requests(log: Sequence[Seen], window: Window) -> Fit:
    """The quota of requests a minute by the log."""
    ones = np.ones((len(log), 1))
    return _fit(log, "requests", window, ones, ones)[0]


def fit_tokens(log: Sequence[Seen], guesses: Sequence[Guess]) -> dict[Guess, Fit]:
    """The quota of tokens a minute by the log, for each guess."""
    found: dict[Guess, Fit] = {}
    for window in sorted({guess.window for guess in guesses}):
        mine = [guess for guess in guesses if guess.window == window]
        first = np.array([[guess.reserved(seen) for guess in mine] for seen in log], dtype=float)
        last = np.array([[guess.settled(seen) for guess in mine] for seen in log], dtype=float)
        found |= dict(zip(mine, _fit(log, "tokens", window, first, last), strict=True))
    return found


Matrix = NDArray[np.float64]
"""A row a request, a column a guess."""


def _fit(log: Sequence[Seen], word: Word, window: Window, first: Matrix, last: Matrix) -> list[Fit]:
    """Requests that were refused for another reason tell nothing of this quota, and took nothing of it."""
    mine = [index for index, seen in enumerate(log) if seen.word in (None, word)]
    kept, first, last = [log[index] for index in mine], first[mine], last[mine]
    refused = np.array([seen.word is not None for seen in kept], dtype=bool)
    needs = _needs(kept, "rolling" if window == "bucket" else window, first, last)
    rough = [_interval(needs[:, column], refused) for column in range(first.shape[1])]
    if not refused.any() or window != "bucket":
        return rough
    return _buckets(kept, refused, first, last, rough, needs[refused].max(axis=0))


def _needs(log: Sequence[Seen], window: Window, first: Matrix, last: Matrix) -> Matrix:
    """What each request would have brought the window's sum to."""
    needs = np.empty_like(first)
    used = np.zeros(first.shape[1])
    inside: deque[int] = deque()
    ends: list[tuple[float, int]] = []
    over: set[int] = set()
    for index, seen in enumerate(log):
        start = floor(seen.at / MINUTE_S) * MINUTE_S if window == "clock" else np.nextafter(seen.at - MINUTE_S, seen.at)
        while ends and ends[0][0] <= seen.at:
            done = heapq.heappop(ends)[1]
            over.add(done)
            if inside and done >= inside[0]:
                used = used + last[done] - first[done]
        while inside and log[inside[0]].at < start:
            gone = inside.popleft()
            used = used - (last[gone] if gone in over else first[gone])
        needs[index] = used + first[index]
        if seen.word is None:
            used = used + first[index]
            inside.append(index)
            heapq.heappush(ends, (seen.ended_at, index))
    return needs


def _interval(needs: NDArray[np.float64], refused: NDArray[np.bool_]) -> Fit:
    """The sizes that the least weight of requests contradicts: an admitted one every size below its need, a refused one every
    size from it. Where some do, sizes that twice as much contradicts are in the interval, too."""
    needs = np.round(needs, 6)
    if not refused.any():
        most = float(needs.max(initial=0.0))
        return Fit(most, most, inf, 0.0)
    edges = np.concatenate([[0.0], np.unique(needs)])
    logs, ends = np.log(np.maximum(needs, TINY)), np.log(np.maximum(edges, TINY))
    # a size in [edges[i], edges[i + 1]): admitted needs above it, and refused needs up to it, say no
    against = _above(logs[~refused], ends) + _above(-logs[refused], -ends, equal=True)
    least, edges = float(against.min()), np.append(edges, inf)
    (first, last), (lowest, highest) = _around(against, least), _around(against, 2 * least)
    return Fit(_middle(edges[first], edges[last + 1]), float(edges[lowest]), float(edges[highest + 1]), least)


def _above(logs: NDArray[np.float64], ends: NDArray[np.float64], equal: bool = False) -> NDArray[np.float64]:
    """The weight of the needs above each end (``equal``: or at it), all as logarithms."""
    logs = np.sort(logs)
    sums = np.concatenate([[0.0], np.cumsum(logs)])
    first = np.searchsorted(logs, ends, "left" if equal else "right")
    clear = np.maximum(first, np.searchsorted(logs, ends + CLEAR, "right"))
    part = (sums[clear] - sums[first] - (clear - first) * ends) / CLEAR
    weights: NDArray[np.float64] = SLIGHT * (len(logs) - first) + (1 - SLIGHT) * (np.maximum(part, 0.0) + len(logs) - clear)
    return weights


def _around(against: NDArray[np.float64], most: float) -> tuple[int, int]:
    """The first and the last of the neighbours of the least one that are not above ``most``."""
    first = last = int(against.argmin())
    while first > 0 and against[first - 1] <= most + TINY:
        first -= 1
    while last + 1 < len(against) and against[last + 1] <= most + TINY:
        last += 1
    return first, last


def _middle(low: float, high: float) -> float:
    return float(low if high == inf else (low + high) / 2)


def _buckets(
    log: Sequence[Seen],
    refused: NDArray[np.bool_],
    first: Matrix,
    last: Matrix,
    rough: Sequence[Fit],
    most: NDArray[np.float64],
) -> list[Fit]:
    """A bucket fills evenly, so how much was left depends on its size: sizes are tried, closer around the best ones each time.

    A bucket holds less than any rolling minute that ended with a refusal would have taken: none above ``most`` of these is tried.
    """
    smallest = first[refused].min(axis=0) / 2
    lows = np.array([max(1.0, fit.low / 2.2, 0.0 if fit.low else small) for fit, small in zip(rough, smallest, strict=True)])
    highs = np.maximum(lows, most) * 1.1
    near = (lows, highs)
    for grid in GRIDS:
        sizes = np.geomspace(lows, highs, grid)  # a row a size, a column a guess
        against = _against_buckets(log, sizes, first, last)
        least = against.min(axis=0)
        near = _spans(sizes, against <= 2 * least + TINY) if grid == GRIDS[0] else near
        lows, highs = _spans(sizes, against <= least + TINY)
    clean = least <= TINY
    ends = zip(np.where(clean, lows, near[0]), np.where(clean, highs, near[1]), strict=True)
    middles = (lows + highs) / 2
    return [Fit(float(at), float(low), float(high), float(no)) for at, (low, high), no in zip(middles, ends, least, strict=True)]


def _spans(sizes: Matrix, best: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sizes around the longest run of True in each column."""
    columns = np.arange(sizes.shape[1])
    begin, end = _longest_runs(best)
    return sizes[np.maximum(begin - 1, 0), columns], sizes[np.minimum(end + 1, len(sizes) - 1), columns]


def _longest_runs(best: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the longest run of True begins and ends in each column."""
    ends = np.zeros(best.shape, dtype=np.int64)
    run = np.zeros(best.shape[1], dtype=np.int64)
    for row in range(len(best)):
        run = np.where(best[row], run + 1, 0)
        ends[row] = run
    last = ends.argmax(axis=0)
    return last - ends.max(axis=0) + 1, last


def _against_buckets(log: Sequence[Seen], sizes: Matrix, first: Matrix, last: Matrix) -> Matrix:
    """The weight of the requests that contradict each size."""
    left, then = sizes.copy(), log[0].at
    against = np.zeros(sizes.shape)
    ends: list[tuple[float, int]] = []
    for index, seen in enumerate(log):
        while ends and ends[0][0] <= seen.at:
            when, done = heapq.heappop(ends)
            left, then = np.minimum(sizes, left + (when - then) / MINUTE_S * sizes) - (last[done] - first[done]), when
        left, then = np.minimum(sizes, left + (seen.at - then) / MINUTE_S * sizes), seen.at
        if seen.word is not None:
            against += _weights((left - first[index]) / sizes, TINY / sizes)
            continue
        against += _weights((first[index] - left) / sizes, TINY / sizes)
        left = left - first[index]
        heapq.heappush(ends, (seen.ended_at, index))
    return against


def _weights(beyond: Matrix, least: Matrix) -> Matrix:
    """The weight of requests that say no by a share ``beyond`` of the size."""
    weights: Matrix = (beyond >= least) * (SLIGHT + (1 - SLIGHT) * np.clip(beyond / CLEAR, 0.0, 1.0))
    return weights

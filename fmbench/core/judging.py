"""How limits are judged: by an interval that lies on one side of them, and how many more requests that would take."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from scipy import special

from fmbench.core.figures.figure import MET, NOT_MET, UNDECIDED, Judgement, Measured
from fmbench.core.intervals import Dependence, Interval
from fmbench.core.messages import Message
from fmbench.core.samples import TAIL

MOST_TO_ASK_FOR = 1_000_000
"""An objective that would take more requests than this has no number of them: it cannot be told from its limit."""


def at_most(name: str, limit: float, figure: Measured | None, count: int, missing: Message) -> Judgement:
    """Met when the whole interval lies at or below the limit. ``missing``: why there is no figure."""
    if figure is None:
        return Judgement(name, limit, UNDECIDED, why=missing)
    value, (low, high) = figure
    status = MET if high <= limit else NOT_MET if low > limit else UNDECIDED
    needed = more_of_mean(value, (low, high), limit, count) if status == UNDECIDED else None
    chance = of_mean(limit - value, high - value)
    found = Judgement(name, limit, status, value, [low, high], beyond(value / limit), needed, p=chance)
    return with_bound(found, low, high, at_most=True)


def at_least(name: str, limit: float, figure: Measured | None, count: int, missing: Message) -> Judgement:
    """Met when the whole interval lies at or above the limit. ``missing``: why there is no figure."""
    if figure is None:
        return Judgement(name, limit, UNDECIDED, why=missing)
    value, (low, high) = figure
    status = MET if low >= limit else NOT_MET if high < limit else UNDECIDED
    needed = more_of_mean(value, (low, high), limit, count) if status == UNDECIDED else None
    by = max(0.0, 1 - value / limit) if limit else 0.0
    return with_bound(
        Judgement(name, limit, status, value, [low, high], by, needed, p=of_mean(value - limit, value - low)),
        low,
        high,
        at_most=False,
    )


def of_mean(room: float, reach: float) -> float:
    """The chance of so much room to a limit, or more, at the limit: by an interval that reaches so far to that side."""
    if reach <= 0:
        return 0.0 if room >= 0 else 1.0
    return float(special.ndtr(room / reach * special.ndtri(TAIL)))


def of_share(hits: float, known: Dependence, least: float) -> float:
    """The chance of so many ``hits`` or more of the values, if their share were ``least``."""
    hits, trials = hits / known.design_effect, known.effective
    return 1.0 if hits <= 0 else float(special.betainc(hits, trials - hits + 1, least))


def with_bound(judgement: Judgement, low: float, high: float, *, at_most: bool) -> Judgement:
    """With the end of the interval that is held against the limit: the near one where it is not met, else the far one."""
    if at_most != (judgement.status == NOT_MET):
        return replace(judgement, upper=high)
    return replace(judgement, lower=low)


def beyond(ratio: float) -> float:
    """How far a value is beyond its limit, as a share of it; 0 within."""
    return max(0.0, ratio - 1)


def more_of_share(seen: float, decided: Callable[[float, float], bool], known: Dependence, tail: float = TAIL) -> int | None:
    """How many more requests would decide, if the share stays what was ``seen``; None when no number of them would.

    ``decided`` is asked with the ends of the share's interval.
    """

    def enough(trials: int) -> bool:
        hits = seen * trials
        low = 0.0 if seen == 0 else float(special.betaincinv(hits, trials - hits + 1, tail))
        high = 1.0 if seen == 1 else float(special.betaincinv(hits + 1, trials - hits, 1 - tail))
        return decided(low, high)

    trials = _first(enough, max(1, math.floor(known.effective)))
    return None if trials is None else max(1, math.ceil((trials - known.effective) * known.design_effect))


def more_of_mean(value: float, interval: Interval, limit: float, count: int) -> int | None:
    """An interval shrinks with the square root of the requests: how many more until it ends at the limit."""
    gap = abs(limit - value)
    reach = interval[1] - value if limit >= value else value - interval[0]
    if gap == 0:
        return None
    total = count * (reach / gap) ** 2
    return None if total > MOST_TO_ASK_FOR else max(1, math.ceil(total - count))


def _first(decided: Callable[[int], bool], start: int) -> int | None:
    """The smallest number from ``start`` on that decides; None beyond ``MOST_TO_ASK_FOR``."""
    high = start
    while not decided(high):
        high *= 2
        if high > MOST_TO_ASK_FOR:
            return None
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle + 1, high)
    return high

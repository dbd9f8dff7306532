"""Limits on the error rate, as tests: met when the upper bound lies at or below it, not met when the 95 % interval lies above it.

The upper bound is missed by 5 %: 0 failures of 299 requests are "at most 1 %", 0 of 120 "at most 2.5 %". A study that sets no
limit has a **screen**: it rules out cells that are shown to fail too much, and says of no other that it would meet anything.
"""

from __future__ import annotations

import math

from fmbench.core.figures.figure import MET, NOT_MET, UNDECIDED, Figure, Judgement, Sample
from fmbench.core.intervals import indicator_dependence, share_interval
from fmbench.core.judging import beyond, more_of_share, of_share, with_bound
from fmbench.core.reasons import NothingEnded
from fmbench.core.samples import TAIL

MISSED = 0.05
"""How often the upper bound is too low."""
SCREEN = 0.01
"""What is shown to fail more than this is ruled out, where no limit is set."""


def judge(figure: Figure, limit: float, sample: Sample) -> Judgement:
    """How the limit stands in the cell that ``sample`` is of."""
    ended = sample.rows[sample.rows.ok | sample.rows.failed]
    flags = ended.failed
    failed, count = int(flags.sum()), len(flags)
    if not count:
        return Judgement(figure.key, limit, UNDECIDED, requests_needed=fewest(limit), why=NothingEnded())
    known = indicator_dependence(flags, ended.common)
    (low, high), upper = share_interval(failed, known), share_interval(failed, known, MISSED)[1]
    status = MET if upper <= limit else NOT_MET if low > limit else UNDECIDED
    rate = failed / count
    needed = more_of_share(rate, lambda _, upper: upper <= limit, known, MISSED) if status == UNDECIDED else None
    if status == UNDECIDED and rate > limit:
        needed = more_of_share(rate, lambda low, _: low > limit, known, TAIL)
    by = beyond(rate / limit) if limit else rate
    chance = of_share(count - failed, known, 1 - limit)
    return with_bound(Judgement(figure.key, limit, status, rate, [low, high], by, needed, p=chance), low, upper, at_most=True)


def fewest(limit: float) -> int | None:
    """How many requests without a failure show that the limit is met; None when none do."""
    return math.ceil(math.log(MISSED) / math.log1p(-limit)) if 0 < limit < 1 else None if limit == 0 else 1

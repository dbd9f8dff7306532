"""Limits on shares of requests, as tests: of those that failed, met when the upper bound lies at or below the limit, not met when
the 95 % interval lies above it; of those that gave text, the same of the rest.

The upper bound is missed by 5 %: 0 failures of 299 requests are "at most 1 %", 0 of 120 "at most 2.5 %". A study that sets no
limit has a **screen**: it rules out cells that are shown to fail too much, or to answer without text for the most part, and says
of no other that it would meet anything.
"""

from __future__ import annotations

import math
from dataclasses import replace

from fmbench.core.figures.figure import MET, NOT_MET, UNDECIDED, Figure, Judgement, Sample
from fmbench.core.intervals import indicator_dependence, share_interval
from fmbench.core.judging import beyond, more_of_share, of_share, with_bound
from fmbench.core.reasons import NothingAnswered, NothingEnded
from fmbench.core.samples import TAIL
from fmbench.core.table import Flags, Rows

MISSED = 0.05
"""How often the upper bound is too low."""
SCREEN = 0.01
"""What is shown to fail more than this is ruled out, where no limit is set."""
MOST = 0.5
"""What is shown to give text less often than this is ruled out, where no limit is set."""


def judge(figure: Figure, limit: float, sample: Sample) -> Judgement:
    """How a limit on the share that failed stands in the cell that ``sample`` is of."""
    ended = sample.rows[sample.rows.ok | sample.rows.failed]
    if not len(ended):
        return Judgement(figure.key, limit, UNDECIDED, requests_needed=fewest(limit), why=NothingEnded())
    return _at_most(figure, limit, ended, ended.failed)


def judge_rest(figure: Figure, limit: float, sample: Sample) -> Judgement:
    """How a limit on the least share that gave text stands: by those that did not, of the answers that are known to be either."""
    known = sample.rows[sample.rows.ok & (sample.rows.words["answered"].codes >= 0)]
    if not len(known):
        return Judgement(figure.key, limit, UNDECIDED, requests_needed=fewest(1 - limit), why=NothingAnswered())
    rest = _at_most(figure, round(1 - limit, 12), known, ~known.text)
    ends = None if rest.ci95 is None else [1 - rest.ci95[1], 1 - rest.ci95[0]]
    value = None if rest.value is None else 1 - rest.value
    lower, upper = (None if end is None else 1 - end for end in (rest.upper, rest.lower))
    by = 0.0 if value is None or not limit else max(0.0, 1 - value / limit)
    return replace(rest, limit=limit, value=value, ci95=ends, by=by, lower=lower, upper=upper)


def _at_most(figure: Figure, limit: float, rows: Rows, flags: Flags) -> Judgement:
    """At most the share ``limit`` of ``rows`` has the flag."""
    flagged, count = int(flags.sum()), len(flags)
    known = indicator_dependence(flags, rows.common)
    (low, high), upper = share_interval(flagged, known), share_interval(flagged, known, MISSED)[1]
    status = MET if upper <= limit else NOT_MET if low > limit else UNDECIDED
    rate = flagged / count
    needed = more_of_share(rate, lambda _, upper: upper <= limit, known, MISSED) if status == UNDECIDED else None
    if status == UNDECIDED and rate > limit:
        needed = more_of_share(rate, lambda low, _: low > limit, known, TAIL)
    by = beyond(rate / limit) if limit else rate
    chance = of_share(count - flagged, known, 1 - limit)
    return with_bound(Judgement(figure.key, limit, status, rate, [low, high], by, needed, p=chance), low, upper, at_most=True)


def fewest(limit: float) -> int | None:
    """How many requests without a flag (a failure) show that the limit is met; None when none do."""
    return math.ceil(math.log(MISSED) / math.log1p(-limit)) if 0 < limit < 1 else None if limit == 0 else 1

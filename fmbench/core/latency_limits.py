"""Limits on percentiles of latencies: whether at least so many of the answers came within the limit.

The share within is a binomial sample over the effective number of requests: met when its 95 % interval lies at or above the
percentile's share, not met when below. Answers are the ok requests, and those that timed out, whose true latency is only known to
be longer: they count as not within.
"""

from __future__ import annotations

import math

import numpy as np

from fmbench.core.clusters import Common
from fmbench.core.failures import TIMEOUTS
from fmbench.core.figures.figure import MET, NOT_MET, UNDECIDED, Judgement, Sample
from fmbench.core.figures.latencies import Latency
from fmbench.core.figures.percentiles import Percentile
from fmbench.core.intervals import indicator_dependence, percentile_interval, share_interval
from fmbench.core.judging import beyond, more_of_share, of_share, with_bound
from fmbench.core.quantiles import Floats, quantile_of_sorted
from fmbench.core.reasons import NoSuchLatency, NothingAnswered
from fmbench.core.table import Flags, Rows


def judge(figure: Percentile, limit: float, sample: Sample) -> Judgement:
    """How the limit stands in the cell that ``sample`` is of."""
    values, common = answered_latencies(sample.rows, figure.latency)
    if not np.isfinite(values).any() and sample.rows.ok.any():
        return Judgement(figure.key, limit, UNDECIDED, why=NoSuchLatency())
    if not len(values):
        return Judgement(figure.key, limit, UNDECIDED, requests_needed=figure.samples_needed, why=NothingAnswered())
    flags, wanted = values <= limit, figure.share
    within, known = int(flags.sum()), indicator_dependence(flags, common)
    low, high = share_interval(within, known)
    status = MET if low >= wanted else NOT_MET if high < wanted else UNDECIDED
    needed = None
    if status == UNDECIDED:
        needed = more_of_share(within / len(values), lambda low, high: low >= wanted or high < wanted, known)
    found = _found(figure, values, common, status)
    by = None if found[0] is None else beyond(found[0] / limit)
    chance = of_share(within, known, wanted)
    judged = Judgement(figure.key, limit, status, *found, by, needed, within=within / len(values), p=chance)
    return judged if found[1] is None else with_bound(judged, found[1][0], found[1][1], at_most=True)


def _found(figure: Percentile, values: Floats, common: Common, status: str) -> tuple[float | None, list[float] | None]:
    """The quantile and its interval, where the sample carries them; the bare quantile where the limit is clearly passed."""
    ascending = np.sort(values)
    value = quantile_of_sorted(ascending, figure.share)
    enough = len(values) >= figure.samples_needed
    if not math.isfinite(value) or (not enough and status != NOT_MET):
        return None, None
    if not enough:
        return value, None
    interval = percentile_interval(values, ascending, figure.share, common)
    return value, None if interval is None or not np.isfinite(interval).all() else list(interval)


def answered_latencies(rows: Rows, latency: Latency) -> tuple[Floats, Common]:
    """A latency of the answers in the order of time (infinite for one that timed out before it was seen), and what they share."""
    values = rows.number(latency.column)
    counted = rows.ok
    if latency.from_sending:
        late = _timed_out(rows)
        seen = (latency.timed_out == "beyond_unless_seen") & ~np.isnan(values)
        values = np.where(late & ~seen, np.inf, values)
        counted = counted | late
    counted = counted & ~np.isnan(values)
    return values[counted], rows.common[counted]


def _timed_out(rows: Rows) -> Flags:
    failure = rows.words["failure"]
    kinds = [failure.names.index(kind) for kind in TIMEOUTS if kind in failure.names]
    return np.isin(failure.codes, kinds)

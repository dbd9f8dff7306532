"""Limits on the error rate: met when at most so many failed of at least 20, not met when the 95 % interval lies above it."""

from __future__ import annotations

from fmbench.core.figures.figure import MET, NOT_MET, UNDECIDED, Figure, Judgement, Sample
from fmbench.core.intervals import Dependence, indicator_dependence, share_interval
from fmbench.core.judging import beyond, more_of_share


def judge(figure: Figure, limit: float, sample: Sample) -> Judgement:
    """How the limit stands in the cell that ``sample`` is of."""
    ended = sample.rows[sample.rows.ok | sample.rows.failed]
    flags = ended.failed
    failed, count = int(flags.sum()), len(flags)
    if not count:
        return Judgement(figure.key, limit, UNDECIDED, requests_needed=figure.samples_needed, why="no request ended")
    known = indicator_dependence(flags, ended.blocks)
    rate = failed / count
    low, high = share_interval(failed, known)
    if low > limit:
        status, needed = NOT_MET, None
    elif rate <= limit and count >= figure.samples_needed:
        status, needed = MET, None
    else:
        status, needed = UNDECIDED, _more(figure, rate, limit, known)
    by = beyond(rate / limit) if limit else rate
    return Judgement(figure.key, limit, status, rate, [low, high], by, needed)


def _more(figure: Figure, rate: float, limit: float, known: Dependence) -> int | None:
    if rate <= limit:
        return figure.samples_needed - known.count
    return more_of_share(rate, lambda low, _: low > limit, known)

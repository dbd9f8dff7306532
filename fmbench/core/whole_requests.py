"""Requests as those see them who ask: all attempts as one, from when the request was wanted.

A record is one attempt. The attempts at one request are rows of one user in a row: ``seq - attempt`` is the same for all. Its
latency begins when it was first wanted: in an open loop at the plan's moment, in a closed one when its first attempt was sent;
where a client held the first attempt back on purpose, before that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmbench.core.cells import MeasuredCell
from fmbench.core.quantiles import Floats
from fmbench.core.retries import FROM_SENDING
from fmbench.core.table import Rows, Words

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Attempts:
    """Which rows are the first and the last attempts of their requests, request by request in the order of time.

    ``request`` has, for each row, the place of its request.
    """

    first: Places
    last: Places
    request: Places


def attempts_in(rows: Rows) -> Attempts:
    """The requests that ``rows`` are attempts at."""
    number = np.nan_to_num(rows.number("attempt"), nan=1.0)
    begun = rows.number("seq") - number
    begun = np.where(np.isnan(begun), -1.0 - np.arange(len(rows)), begun)  # a row without a number stands alone
    order = np.lexsort((number, begun, rows.senders))
    sender, begun = rows.senders[order], begun[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (sender[1:] != sender[:-1]) | (begun[1:] != begun[:-1])
    starts = np.flatnonzero(new)
    first, last = order[starts], order[np.append(starts[1:], len(rows)) - 1] if len(rows) else order
    rank = np.argsort(first, kind="stable")
    place = np.empty(len(rank), dtype=np.int64)
    place[rank] = np.arange(len(rank))
    request = np.empty(len(rows), dtype=np.int64)
    request[order] = place[np.cumsum(new) - 1]
    return Attempts(first[rank], last[rank], request)


def tried_again(rows: Rows) -> bool:
    """Whether any request had more than one attempt."""
    return bool((rows.number("attempt") > 1).any())


def whole_requests(rows: Rows, planned: bool) -> Rows:
    """A row a request, in the phase of its first attempt; ``rows`` themselves where each has one and is counted from sending."""
    again = tried_again(rows)
    held = bool((rows.number("backoff_s") > 0).any())
    if not again and not planned and not held:
        return rows
    attempts = attempts_in(rows) if again else _alone(rows)
    waited = rows.number("sent_at")[attempts.last] - _wanted(rows, attempts.first, planned)
    numbers: dict[str, Floats] = {name: rows.number(name)[attempts.last] for name in rows.numbers}
    numbers |= {name: numbers[name] + waited for name in FROM_SENDING}
    numbers |= {name: rows.number(name)[attempts.first] for name in ("sent_at", "intended_at")}
    numbers["usd"] = _usd(rows, attempts)
    words: dict[str, Words] = {name: rows.words[name][attempts.last] for name in rows.words}
    words["phase"] = rows.words["phase"][attempts.first]
    return Rows(numbers, words)


def judged_requests(cell: MeasuredCell, planned: bool | None = None) -> Rows:
    """The requests of a cell's measured window as objectives see them. ``planned`` False: an open loop's, too, from sending."""
    rows = whole_requests(cell.rows, cell.rate_per_min is not None if planned is None else planned)
    return rows[rows.measured]


def _alone(rows: Rows) -> Attempts:
    each = np.arange(len(rows), dtype=np.int64)
    return Attempts(each, each, each)


def _wanted(rows: Rows, first: Places, planned: bool) -> Floats:
    intended, sent = rows.number("intended_at")[first], rows.number("sent_at")[first]
    begun = np.where(np.isnan(intended), sent, intended) if planned else np.where(np.isnan(sent), intended, sent)
    return np.asarray(begun - np.nan_to_num(rows.number("backoff_s")[first]))


def _usd(rows: Rows, attempts: Attempts) -> Floats:
    """What all attempts cost together; NaN where the answer's price is not known, or nothing's is."""
    usd = rows.number("usd")
    known = ~np.isnan(usd)
    total = np.bincount(attempts.request, np.where(known, usd, 0.0), minlength=len(attempts.first))
    priced = np.bincount(attempts.request, known, minlength=len(attempts.first)) > 0
    unpriced = rows.ok[attempts.last] & ~known[attempts.last]
    return np.where(priced & ~unpriced, total, np.nan)

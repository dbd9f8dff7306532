"""What users do one after the other: from when one sends a request to when it sends the next, pauses included."""

from __future__ import annotations

import numpy as np

from fmbench.core.cells import MeasuredCell
from fmbench.core.intervals import Interval, dependence, mean_interval
from fmbench.core.quantiles import Floats
from fmbench.core.table import Rows

FEWEST = 20
MOST_APART = 0.25
"""Cycles that begin in a window reach beyond its end, and those before it into it."""


def cycles(cell: MeasuredCell) -> tuple[Rows, Floats]:
    """The measured requests in the order of time, and the seconds of each one's cycle; of a user's last one to its end."""
    rows = cell.rows[cell.rows.measured & ~np.isnan(cell.rows.number("sent_at")) & ~np.isnan(cell.rows.number("ended_at"))]
    sent, ended = rows.number("sent_at"), rows.number("ended_at")
    who = rows.senders if rows.blocks is None else rows.senders * (int(rows.blocks.max(initial=0)) + 1) + rows.blocks.astype(int)
    order = np.lexsort((sent, who))
    next_sent = np.append(sent[order][1:], np.inf)
    last = np.append(who[order][1:] != who[order][:-1], True)[: len(order)]
    seconds = np.empty(len(rows))
    seconds[order] = np.where(last, ended[order], next_sent[: len(order)]) - sent[order]
    return rows, np.maximum(seconds, 1e-9)


def rate_interval(cell: MeasuredCell, per_second: float) -> Interval | None:
    """The 95 % interval of the answers a second of a closed loop, from how its users' cycles scatter; None where the load is not
    a closed loop of known users, or too short.

    A request's part in the rate's deviation is whether it was answered, less what its cycle should have brought.
    """
    rows, seconds = cycles(cell)
    if len(rows) < FEWEST or not _closed(cell, rows, seconds):
        return None
    answered = rows.ok.astype(np.float64)
    surplus = answered - float(answered.sum() / seconds.sum()) * seconds
    found = mean_interval(surplus, dependence(surplus, rows.common))
    if found is None or not answered.any():
        return None
    low, high = (max(0.0, 1 + end / float(answered.mean())) * per_second for end in found)
    return low, high


def _closed(cell: MeasuredCell, rows: Rows, seconds: Floats) -> bool:
    """Whether the cycles fill the users' time: as many users as the level says, each always in one."""
    if np.isnan(rows.number("user")).any() or not cell.concurrency or not cell.duration_s:
        return False
    return abs(float(seconds.sum()) / (cell.concurrency * cell.duration_s) - 1) < MOST_APART

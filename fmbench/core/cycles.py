"""What users do one after the other: from when one sends a request to when it sends the next, pauses included."""

from __future__ import annotations

import numpy as np

from fmbench.core.cells import MeasuredCell
from fmbench.core.quantiles import Floats
from fmbench.core.table import Rows


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

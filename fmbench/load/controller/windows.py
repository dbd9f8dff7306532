"""``load.until: decided``: when a cell's window may end. Works on what the load processes count, never on records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from fmbench.config.schema import Config
from fmbench.core.looks import Counts, evidence_of_drops, look_times
from fmbench.core.objectives import Objective, decided, evidence_for, objectives_of, screens_of
from fmbench.core.plan import window_cap_s
from fmbench.core.quantiles import Floats
from fmbench.core.sequential import NOTHING, Evidence, all_of, block_length, ruled_out
from fmbench.load.slices import COMPLETED, DROPPED, ENDED, FAILED, OK, PLACES, PRICED, SENT, TEXT, TOLD, USD, USERS, Counting
from fmbench.load.tally import Tally

SLICES = 16
"""So many slices has a window of ``duration_s``."""
MOST_SLICES = 256
STALE_S = 1.5
"""How old what the load processes told can be."""
MOST_UNKNOWN = 0.01
"""Requests sent of late are left out, until at most such a share of the rest is still in flight: which answers are over first
depends on their latency."""

Window = Callable[[float, Tally], bool]
"""Asked with the seconds since a window began and its counts, again and again: may it end?"""


class WindowJudge:
    """Judges the windows of one study."""

    def __init__(self, config: Config) -> None:
        load = config.load
        self._objectives = objectives_of(config.objectives.model_dump())
        self._screens = screens_of(config.objectives.model_dump())
        self._latencies = [objective for objective in self._objectives if objective.percentile is not None]
        self._times = look_times(load.duration_s, window_cap_s(load))
        self._block_s = block_length(load.duration_s)
        slice_s = min(self._block_s, max(load.duration_s / SLICES, window_cap_s(load) / MOST_SLICES))
        limits = tuple((asked.latency.key, one.limit) for one in self._latencies if (asked := one.percentile) is not None)
        self.counting = Counting(slice_s, limits)

    def window(self) -> Window:
        """The judge of a window that begins. Once it has said yes, it says nothing else."""
        looks, ended = iter([*self._times, float("inf")]), False
        due = next(looks)

        def may_end(elapsed_s: float, tally: Tally) -> bool:
            nonlocal due, ended
            if not ended and elapsed_s >= due:
                while elapsed_s >= due:
                    due = next(looks)
                ended = self.decided(elapsed_s, tally)
            return ended

        return may_end

    def decided(self, elapsed_s: float, tally: Tally) -> bool:
        """Whether every objective is decided by what is known so far. Quality never is: answers are scored after the load."""
        counts = self._counts_of(elapsed_s, tally)
        return counts is not None and all(decided(objective, counts) for objective in self._objectives)

    def evidence(self, elapsed_s: float, tally: Tally) -> Evidence:
        """What is known so far of all objectives together. One that no more requests would tell is left out.

        What rules a cell out in the verdict although no limit is set on it, rules a level out here.
        """
        counts = self._counts_of(elapsed_s, tally)
        if counts is None:
            return NOTHING
        drops = evidence_of_drops(counts)
        screens = [*_known(self._screens, counts), *([] if drops is None else [drops])]
        return ruled_out(all_of(_known(self._objectives, counts)), screens)

    def _counts_of(self, elapsed_s: float, tally: Tally) -> Counts | None:
        rows = [tally.slices.get(number, self.counting.empty_row) for number in range(max(tally.slices, default=-1) + 1)]
        return self._counts(elapsed_s, np.array(rows), self._senders(elapsed_s, tally)) if rows else None

    def _senders(self, elapsed_s: float, tally: Tally) -> tuple[Counts, ...]:
        """By users, and by load processes: all that they have seen end."""
        kinds = [np.array(rows) for rows in ([*tally.users.values()], tally.processes) if rows]
        return tuple(self._of_senders(elapsed_s, rows) for rows in kinds)

    def _of_senders(self, elapsed_s: float, rows: Floats) -> Counts:
        users = rows[:, USERS]
        each = rows[:, COMPLETED] * 60 / elapsed_s * users.sum() / np.maximum(users, 1)
        return replace(self._counted(rows, each), parts=users)

    def _counts(self, elapsed_s: float, table: Floats, senders: tuple[Counts, ...]) -> Counts:
        in_flight = np.cumsum(table[:, SENT] - table[:, ENDED])
        settled = np.flatnonzero(in_flight <= MOST_UNKNOWN * np.cumsum(table[:, SENT]))
        known = table[: settled[-1] + 1] if len(settled) else table[:0]
        over = max(0, int((elapsed_s - STALE_S) / self.counting.slice_s))
        counted = self._counted(known, table[:over, COMPLETED] * 60 / self.counting.slice_s)
        return replace(counted, unknown=int(in_flight[len(known) - 1]) if len(known) else 0, senders=senders)

    def _counted(self, rows: Floats, per_minute: Floats) -> Counts:
        return Counts(
            slice_s=self.counting.slice_s,
            block_s=self._block_s,
            unknown=0,
            ended=rows[:, ENDED],
            failed=rows[:, FAILED],
            ok=rows[:, OK],
            usd=rows[:, USD],
            priced=rows[:, PRICED],
            told=rows[:, TOLD],
            text=rows[:, TEXT],
            dropped=rows[:, DROPPED],
            per_minute=per_minute,
            latencies={
                objective.name: (rows[:, PLACES + 2 * place], rows[:, PLACES + 2 * place + 1])
                for place, objective in enumerate(self._latencies)
            },
        )


def _known(objectives: Iterable[Objective], counts: Counts) -> list[Evidence]:
    found = (evidence_for(objective, counts) for objective in objectives)
    return [evidence for evidence in found if evidence is not None]

"""What became of every request that a run sent: the sum that the exit status stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fmbench.core.failures import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """Counts of requests. ``planned = sent + dropped`` and ``sent = ok + failed + abandoned + lost``.

    ``abandoned``: announced, and its end not seen. ``lost``: a worker says that it sent it, and no row is there.
    ``duplicated``: rows of one request beyond its first, left out. ``torn``: journal lines cut off in the middle.
    """

    sent: int = 0
    ok: int = 0
    failed: int = 0
    abandoned: int = 0
    dropped: int = 0
    lost: int = 0
    duplicated: int = 0
    torn: int = 0

    @property
    def planned(self) -> int:
        """Requests that the plan asked for: those sent, and those that the generator could not start."""
        return self.sent + self.dropped

    @property
    def complete(self) -> bool:
        """Whether every request that was sent has a row that says how it ended."""
        return not (self.abandoned or self.lost or self.duplicated)

    def to_dict(self) -> dict[str, int]:
        """The manifest's ``accounting``."""
        return {"planned": self.planned, **asdict(self)}


def count_rows(rows: Mapping[str, Mapping[str, int]], workers: Sequence[Mapping[str, Any]] = ()) -> Accounting:
    """The accounting of ``rows`` (worker → outcome → number of rows), held against what the ``workers`` say they sent."""
    total = Accounting()
    for outcomes in rows.values():
        total = replace(
            total,
            ok=total.ok + outcomes.get(Outcome.OK, 0),
            failed=total.failed + outcomes.get(Outcome.FAILED, 0),
            abandoned=total.abandoned + outcomes.get(Outcome.ABANDONED, 0),
            dropped=total.dropped + outcomes.get(Outcome.DROPPED, 0),
        )
    lost = sum(_lost(worker, rows.get(str(worker.get("id")), {})) for worker in workers)
    return replace(total, sent=total.ok + total.failed + total.abandoned + lost, lost=lost)


def _lost(worker: Mapping[str, Any], outcomes: Mapping[str, int]) -> int:
    return max(0, int(worker.get("sent") or 0) - sum(outcomes.values()) + outcomes.get(Outcome.DROPPED, 0))

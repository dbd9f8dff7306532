"""What a search for a limit may take, before anything is sent: the search itself, gone through against imagined servers.

A server is imagined by its limit alone. What a level shows grows evenly with the time that it is measured: as fast as when
every request is within its limits, where it meets them, and within ``MISSED_BLOCKS`` blocks where it does not. Levels near the
limit show nothing, and take all that a level may.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fmbench.core.figures.answered import ANSWERED_SHARE
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.objectives import Objective
from fmbench.core.search import Level, Search, SearchSpec
from fmbench.core.sequential import FEWEST_FOR_A_MEAN, Evidence, blocks_to_show

MISSED_BLOCKS = 6
"""So many blocks show that a level clearly misses its limits."""
NEAR = 0.25
"""Levels within such a part of the limit show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the steps of a search are measured with."""

    spec: SearchSpec
    per_s: Callable[[float], float]
    """Requests a second at a level."""
    block_s: float
    cap_s: float
    """The longest that a step is measured."""
    around_s: float
    """What a step takes besides: its warm-up, in which requests are sent, too."""
    blocks_to_meet: int
    """So many blocks show that a level meets the objectives, when every request does."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a search took: requests, warm-ups included, and seconds."""

    requests: float
    seconds: float


def course(setting: Setting, limit: float, decisive: bool = True) -> Course:
    """The search against a server of this limit. Not ``decisive``: no level shows anything, each takes all that it may."""
    search, requests, seconds = Search(setting.spec), 0.0, 0.0
    while isinstance(level := search.next(), Level):
        per_s, meets = setting.per_s(level.level), level.level <= limit
        near = abs(math.log(level.level / limit)) < NEAR
        speed = 0.0 if near or not decisive else _speed(setting, meets)
        lasts_s = min(setting.cap_s, level.requests / per_s, _until_shown_s(level, meets, speed))
        measured = math.ceil(per_s * lasts_s)
        shown = speed * lasts_s
        search.observe(level.level, measured, Evidence(*((shown, 0.0) if meets else (0.0, shown)), 1.0 if meets else -1.0))
        requests += measured + per_s * setting.around_s
        seconds += lasts_s + setting.around_s
    return Course(requests, seconds)


def _speed(setting: Setting, meets: bool) -> float:
    """Evidence a second, reckoned so that what is claimed is shown after so many blocks."""
    claim = (1 - setting.spec.confidence) / 2
    return -math.log(claim) / (setting.block_s * (setting.blocks_to_meet if meets else MISSED_BLOCKS))


def _until_shown_s(level: Level, meets: bool, speed: float) -> float:
    earlier = level.earlier.met if meets else level.earlier.not_met
    return max(0.0, -math.log(level.tail) - earlier) / speed * (1 + 1e-9) if speed else math.inf


def blocks_to_meet(objectives: Iterable[Objective], tail: float) -> int:
    """How many blocks show that all objectives are met when every request is within its limit; 0: none of them waits for any."""
    return max((blocks_for(objective, tail) or 0 for objective in objectives), default=0)


def blocks_for(objective: Objective, tail: float) -> int | None:
    """How many blocks show at best that ``objective`` is met; None: it is never shown while requests are sent."""
    if objective.figure.takes is not None:
        return None
    share = _share_allowed(objective)
    if share is None:
        return FEWEST_FOR_A_MEAN
    return blocks_to_show(share, tail) if 0 < share < 1 else None if share <= 0 else 1


def _share_allowed(objective: Objective) -> float | None:
    """Which share of the requests may be beyond the limit; None: the limit is on a mean."""
    if objective.percentile is not None:
        return 1 - objective.percentile.share
    if objective.figure is ANSWERED_SHARE:
        return round(1 - objective.limit, 12)
    return objective.limit if objective.figure is ERROR_RATE else None

"""What requests have in common beside their moment: the user that sent them, the load process, the prompt.

Values of one **cluster** resemble each other all through a window, so more requests of the same clusters tell less and less. How
much the clusters' sums scatter beyond what chance and time explain is added to the design effect (one kind: the jackknife over
clusters, which holds where some are larger than others, Bell and McCaffrey, Survey Methodology 28(2), 2002; several: Cameron,
Gelbach and Miller, Journal of Business and Economic Statistics 29, 2011). What all kinds together know is counted in degrees of
freedom (Satterthwaite, Biometrics Bulletin 2, 1946).

One cluster tells nothing about others: with one user, or one load process, what others would have seen is not known. Load
processes hold their users: where they are what differs, they are counted in place of their users.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fmbench.core.quantiles import Floats
from fmbench.core.sums import squares

Labels = NDArray[np.int64]
STRETCHES = 16
"""A series is cut into so many stretches of time, to tell what lasts from what a moment has in common."""
MOST_SPREAD = 65_536
"""Labels that lie further apart are sorted rather than counted."""
MOST_OF_ALL = 0.75
"""No cluster is taken to have a larger part of all values than this."""
BELIEVED = 0.9
"""A kind of clusters counts among the degrees of freedom when it scatters more than chance would in nine of ten runs."""
FEW = 5
BELIEVED_OF_FEW = 0.99
"""Of fewer than five clusters so much is asked, as next to no degrees of freedom widen an interval tenfold."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one kind of clusters adds to the design effect, known with so many degrees of freedom."""

    effect: float
    freedom: float
    skew: float = 0.0
    """Skewness of the clusters' sums, where they count."""


def part_of(surplus: Floats, clusters: Labels, within: Labels | None = None) -> Part | None:
    """What clusters add: ``surplus`` is each value's distance from the mean. ``within`` numbers each value's stretch of time:
    what resembles in one cluster at one time alone is time's part, not the cluster's. None with fewer than two clusters."""
    spread = squares(surplus)
    sizes = np.bincount(clusters)
    groups, count = int(np.count_nonzero(sizes)), len(surplus)
    if groups < 2 or spread <= 0 or groups == count:
        return None
    sums = np.bincount(clusters, weights=surplus)
    without = sums * count / (count - np.minimum(sizes, MOST_OF_ALL * count))
    between = squares(without) / spread * (groups - 1) / groups
    inside, cells = _inside(surplus, clusters, within, spread)
    more = max(0.0, between - inside)
    chance = BELIEVED if groups >= FEW else BELIEVED_OF_FEW
    if between <= inside * float(special.fdtri(groups - 1, max(cells - groups, 1), chance)):
        return Part(more, np.inf)
    third = float((sums**3).sum()) / squares(sums) ** 1.5
    return Part(more, (groups - 1) * (more / between) ** 2, third)


def _inside(surplus: Floats, clusters: Labels, within: Labels | None, spread: float) -> tuple[float, int]:
    """How much values of one cluster and one stretch of time scatter together, as a design effect; and how many such cells there
    are."""
    if within is None:
        return 1.0, len(surplus)
    cells = clusters * (int(within.max()) + 1) + within
    sums = np.bincount(cells, weights=surplus)
    return squares(sums) / spread, int(np.count_nonzero(np.bincount(cells)))


@dataclass(frozen=True, slots=True)
class Common:
    """What each value of a series has in common with others: its repeat, its user, its prompt, its load process; None where there
    is one, or where it is not known. All but repeats are numbered from 0 on."""

    blocks: Floats | None = None
    users: Labels | None = None
    prompts: Labels | None = None
    hosts: Labels | None = None

    def __getitem__(self, kept: NDArray[np.bool_]) -> Common:
        """Of some of the values."""
        return Common(
            None if self.blocks is None else self.blocks[kept],
            None if self.users is None else self.users[kept],
            None if self.prompts is None else self.prompts[kept],
            None if self.hosts is None else self.hosts[kept],
        )

    def parts(self, surplus: Floats) -> list[Part]:
        """What users (or their load processes) and prompts add to the design effect of values in the order of time."""
        stretches = np.arange(len(surplus)) * STRETCHES // max(len(surplus), 1)
        return parts_of(surplus, self.users, self.hosts, self.prompts, stretches)


def parts_of(
    surplus: Floats, users: Labels | None, hosts: Labels | None, prompts: Labels | None, within: Labels | None
) -> list[Part]:
    """What each kind of clusters adds; of users and the load processes that hold them, the one that adds more."""
    senders, processes, asked = (
        None if labels is None else part_of(surplus, labels, when)
        for labels, when in ((users, within), (hosts, within), (prompts, None))
    )
    if processes is not None and np.isfinite(processes.freedom) and (senders is None or processes.effect > senders.effect):
        senders = processes
    return [part for part in (senders, asked) if part is not None]


def satterthwaite(parts: Iterable[Part]) -> Part:
    """Several parts of a variance as one."""
    known = [part for part in parts if part.effect > 0]
    total = sum(part.effect for part in known)
    doubt = sum(part.effect**2 / part.freedom for part in known)
    return Part(total, total**2 / doubt if doubt > 0 else np.inf)


def numbered(*columns: Labels) -> Labels:
    """One number for each different row of labels, from 0 on."""
    places = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes = _ranks(column)
        places = places * (int(codes.max(initial=0)) + 1) + codes
    return _ranks(places)


def _ranks(labels: Labels) -> Labels:
    """The place of each label among the different ones, by counting where they lie close together: that takes no sorting."""
    if not len(labels):
        return np.zeros(0, dtype=np.int64)
    least, most = int(labels.min()), int(labels.max())
    if most - least > MOST_SPREAD + 4 * len(labels):
        return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)
    there = np.zeros(most - least + 1, dtype=np.int64)
    there[labels - least] = 1
    return np.asarray((np.cumsum(there) - 1)[labels - least], dtype=np.int64)

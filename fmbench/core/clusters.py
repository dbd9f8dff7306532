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
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fmbench.core.quantiles import Floats
from fmbench.core.sums import Scatter, squares

Labels = NDArray[np.int64]
STRETCHES = 16
"""A series is cut into so many stretches of time, to tell what lasts from what a moment has in common."""
MOST_SPREAD = 65_536
"""Labels that lie further apart are sorted rather than counted."""
MOST_OF_ALL = 0.75
"""No cluster is taken to have a larger part of all values than this."""
BELIEVED = 0.9
"""A kind of clusters counts among the degrees of freedom when it scatters more than chance would in nine of ten runs."""
SOME = 8
BELIEVED_OF_SOME = 0.7
"""Of fewer than eight clusters less is asked: chance hides easily that so few differ."""
FEWEST_EVENTS = 2
"""But not where fewer events a cluster are all that scatters (two failures of 100 requests): that both are one user's of
four is chance's doing in one run of four."""
FEW = 4
BELIEVED_OF_FEW = 0.99
"""Of two or three so much is asked, as next to no degrees of freedom widen an interval tenfold."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one kind of clusters adds to the design effect, known with so many degrees of freedom."""

    effect: float
    freedom: float
    skew: float = 0.0
    """Skewness of the clusters' sums, where they count."""
    of_prompts: bool = False


@dataclass(frozen=True, slots=True)
class Grouping:
    """Clusters of a series, counted once for all that is asked of it. ``cells`` numbers each value's cluster and stretch of time;
    None where stretches are not told apart."""

    clusters: Labels
    groups: int
    others: Floats
    """How many values are not in each cluster, which is taken to have at most ``MOST_OF_ALL`` of them."""
    cells: Labels | None
    cell_count: int


def grouping(clusters: Labels, within: Labels | None = None) -> Grouping:
    """The clusters of a series. ``within`` numbers each value's stretch of time."""
    count, sizes = len(clusters), np.bincount(clusters)
    cells = None if within is None else clusters * (int(within.max(initial=0)) + 1) + within
    cell_count = count if cells is None else int(np.count_nonzero(np.bincount(cells)))
    return Grouping(clusters, int(np.count_nonzero(sizes)), count - np.minimum(sizes, MOST_OF_ALL * count), cells, cell_count)


def part_of(surplus: Floats, clusters: Labels, within: Labels | None = None) -> Part | None:
    """What clusters add: ``surplus`` is each value's distance from the mean. ``within`` numbers each value's stretch of time:
    what resembles in one cluster at one time alone is time's part, not the cluster's. None with fewer than two clusters."""
    return part_in(surplus, squares(surplus), grouping(clusters, within))


def part_in(surplus: Floats, spread: float, known: Grouping) -> Part | None:
    """The same, of clusters that were counted before; ``spread`` is the sum of the squares."""
    groups, count = known.groups, len(surplus)
    if groups < 2 or spread <= 0 or groups == count:
        return None
    sums = np.bincount(known.clusters, weights=surplus)
    without = sums * count / known.others
    between = squares(without) / spread * (groups - 1) / groups
    inside = 1.0 if known.cells is None else squares(np.bincount(known.cells, weights=surplus)) / spread
    more = max(0.0, between - inside)
    if between <= inside * _expected(groups - 1, max(known.cell_count - groups, 1), _asked_of(groups, surplus)):
        return Part(more, np.inf)
    third = float((sums**3).sum()) / squares(sums) ** 1.5
    return Part(more, (groups - 1) * (more / between) ** 2, third)


def _asked_of(groups: int, surplus: Floats) -> float:
    """In how many runs of so many clusters that are alike chance has to bring less, before a difference is believed."""
    if groups < FEW:
        return BELIEVED_OF_FEW
    return BELIEVED_OF_SOME if groups < SOME and _events(surplus) >= FEWEST_EVENTS * groups else BELIEVED


def _events(surplus: Floats) -> float:
    """How many of the values make the scatter: the number of them by its kurtosis. Of flags, the rarer ones."""
    return squares(surplus) ** 2 / squares(surplus * surplus)


@lru_cache(maxsize=4096)
def _expected(between: int, inside: int, chance: float) -> float:
    """Up to where chance alone brings the ratio of two variances."""
    return float(special.fdtri(between, inside, chance))


@dataclass(frozen=True)
class Common:
    """What each value of a series has in common with others: its repeat, its user, its prompt, its load process; None where there
    is one, or where it is not known. All but repeats are numbered from 0 on."""

    blocks: Floats | None = None
    users: Labels | None = None
    prompts: Labels | None = None
    hosts: Labels | None = None

    def __getitem__(self, kept: NDArray[np.bool_]) -> Common:
        """Of some of the values."""
        if kept.all():
            return self
        return Common(
            None if self.blocks is None else self.blocks[kept],
            None if self.users is None else self.users[kept],
            None if self.prompts is None else self.prompts[kept],
            None if self.hosts is None else self.hosts[kept],
        )

    def parts(self, scatter: Scatter) -> list[Part]:
        """What users (or their load processes) and prompts add to the design effect of values in the order of time."""
        return _added(scatter.surplus, scatter.squares, *self._groupings)

    @cached_property
    def _groupings(self) -> tuple[Grouping | None, Grouping | None, Grouping | None]:
        """Of users and load processes, by stretches of time; and of prompts."""
        count = next((len(labels) for labels in (self.users, self.hosts, self.prompts) if labels is not None), 0)
        stretches = np.arange(count) * STRETCHES // max(count, 1)
        return (
            None if self.users is None else grouping(self.users, stretches),
            None if self.hosts is None else grouping(self.hosts, stretches),
            None if self.prompts is None else grouping(self.prompts),
        )


def parts_of(
    surplus: Floats, users: Labels | None, hosts: Labels | None, prompts: Labels | None, within: Labels | None
) -> list[Part]:
    """What each kind of clusters adds; of users and the load processes that hold them, the one that adds more."""
    kinds = ((users, within), (hosts, within), (prompts, None))
    return _added(surplus, squares(surplus), *(None if labels is None else grouping(labels, when) for labels, when in kinds))


def _added(
    surplus: Floats, spread: float, users: Grouping | None, hosts: Grouping | None, prompts: Grouping | None
) -> list[Part]:
    senders, processes, asked = (None if kind is None else part_in(surplus, spread, kind) for kind in (users, hosts, prompts))
    if processes is not None and np.isfinite(processes.freedom) and (senders is None or processes.effect > senders.effect):
        senders = processes
    asked = None if asked is None else replace(asked, of_prompts=True)
    return [part for part in (senders, asked) if part is not None]


def chances(sums: Floats, counts: Floats, limit: float) -> tuple[float, float] | None:
    """The chance of a mean so far below ``limit`` (above 0), and of one so far above, were the true one at it: of what each
    cluster's ``counts`` values sum up to, by how clusters scatter. Student's t over the jackknife's error, on the side below that
    of the logarithm, as what clusters are likely to have that were not drawn grows with what they have. None of fewer than
    ``FEW`` clusters: two or three are not told from chance."""
    sums, counts = sums[counts > 0], counts[counts > 0]
    groups, total = len(sums), float(counts.sum())
    if groups < FEW:
        return None
    mean = float(sums.sum()) / total
    without = (sums - mean * counts) * total / (total - np.minimum(counts, MOST_OF_ALL * total))
    error = float(np.sqrt(squares(without) * (groups - 1) / groups)) / total
    if error <= 1e-9 * abs(mean):
        return (0.0, 1.0) if mean <= limit else (1.0, 0.0)
    below = mean * float(np.log(limit / mean)) if mean > 0 else limit - mean
    return tuple(float(special.stdtr(groups - 1, -gap / error)) for gap in (below, mean - limit))  # type: ignore[return-value]


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

"""What requests have in common beside their moment: the user that sent them, the load process, the prompt.

Values of one **cluster** resemble each other all through a window, so more requests of the same clusters tell less and less. How
much the clusters' sums scatter beyond what chance and time explain is added to the design effect (one kind: the linearised
variance of a mean, Cochran, Sampling Techniques, chapter 9; several: Cameron, Gelbach and Miller, Journal of Business and
Economic Statistics 29, 2011). What all kinds together know is counted in degrees of freedom (Satterthwaite, Biometrics Bulletin
2, 1946).

One cluster tells nothing about others: with one user, or one load process, what others would have seen is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fmbench.core.quantiles import Floats

Labels = NDArray[np.int64]
BELIEVED = 0.8
"""A kind of clusters counts among the degrees of freedom when it scatters more than chance would in four of five runs."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one kind of clusters adds to the design effect, known with so many degrees of freedom."""

    effect: float
    freedom: float


def part_of(surplus: Floats, clusters: Labels, within: Labels | None = None) -> Part | None:
    """What clusters add: ``surplus`` is each value's distance from the mean. ``within`` numbers each value's stretch of time:
    what resembles in one cluster at one time alone is time's part, not the cluster's. None with fewer than two clusters."""
    spread = float(surplus @ surplus)
    sums = np.bincount(clusters, weights=surplus)
    groups = int(np.count_nonzero(np.bincount(clusters)))
    if groups < 2 or spread <= 0 or groups == len(surplus):
        return None
    between = float(sums @ sums) / spread * groups / (groups - 1)
    inside, cells = _inside(surplus, clusters, within, spread)
    freedom = max(cells - groups, 1)
    if between > inside * float(special.fdtri(groups - 1, freedom, BELIEVED)):
        return Part(between - inside, groups - 1)
    return Part(max(0.0, between - inside), np.inf)


def _inside(surplus: Floats, clusters: Labels, within: Labels | None, spread: float) -> tuple[float, int]:
    """How much values of one cluster and one stretch of time scatter together, as a design effect; and how many such cells there
    are."""
    if within is None:
        return 1.0, len(surplus)
    _, cells = np.unique(clusters * (int(within.max()) + 1) + within, return_inverse=True)
    sums = np.bincount(cells, weights=surplus)
    return float(sums @ sums) / spread, len(sums)


def satterthwaite(parts: Iterable[Part]) -> Part:
    """Several parts of a variance as one."""
    known = [part for part in parts if part.effect > 0]
    total = sum(part.effect for part in known)
    doubt = sum(part.effect**2 / part.freedom for part in known)
    return Part(total, total**2 / doubt if doubt > 0 else np.inf)


def numbered(*columns: Labels) -> Labels:
    """One number for each different row of labels, from 0 on."""
    _, places = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    return np.asarray(places, dtype=np.int64).reshape(-1)

"""Many tests at once: that none of them alarms by chance has to hold for all together, and power has to stay.

A comparison of many cells is a tree: first each cell is asked whether anything differs in it at all (Simes' test of its figures,
Biometrika 73, 1986; the figures of a cell move together), corrected over the cells by Holm (Scandinavian Journal of Statistics 6,
1979). Only in a cell where something does are its figures told apart, each corrected for the others of its cell (Hommel,
Biometrika 75, 1988: all that Simes' test of every set of them allows) and by as much as the cell was.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """Holm's corrected p of each test; None stays None and counts as no test."""
    return [corrected for corrected, _ in _stepped(chances)]


def gatekept(cells: Sequence[Sequence[float | None]]) -> list[list[float | None]]:
    """The corrected p of each figure of each cell."""
    gates = [simes(figures) for figures in cells]
    found = []
    for figures, (gate, times) in zip(cells, _stepped(gates), strict=True):
        inside = hommel(figures)
        found.append([None if p is None or gate is None else min(1.0, max(gate, times * p)) for p in inside])
    return found


def hommel(chances: Sequence[float | None]) -> list[float | None]:
    """Hommel's corrected p of each test (Wright, Biometrics 48, 1992); None stays None and counts as no test."""
    places = sorted(
        (place for place, chance in enumerate(chances) if chance is not None), key=lambda place: chances[place] or 0.0
    )
    rising = [chances[place] or 0.0 for place in places]
    count = len(rising)
    corrected = [simes(rising) or 0.0] * count
    for size in range(count - 1, 1, -1):
        first = count - size + 1
        largest = min(size * rising[place] / (place - first + 2) for place in range(first, count))
        of_size = [min(size * chance, largest) for chance in rising[:first]]
        of_size += [of_size[-1]] * (count - first)
        corrected = [max(pair) for pair in zip(corrected, of_size, strict=True)]
    found: list[float | None] = [None] * len(chances)
    for place, chance, whole in zip(places, rising, corrected, strict=True):
        found[place] = min(1.0, max(chance, whole))
    return found


def simes(chances: Sequence[float | None]) -> float | None:
    """The chance of the smallest of several tests, each with its rank, where none should be small."""
    known = sorted(chance for chance in chances if chance is not None)
    return min((len(known) * chance / rank for rank, chance in enumerate(known, 1)), default=None)


def _stepped(chances: Sequence[float | None]) -> list[tuple[float | None, int]]:
    """Holm's corrected p, and what each was multiplied by."""
    places = sorted(
        (place for place, chance in enumerate(chances) if chance is not None), key=lambda place: chances[place] or 0.0
    )
    corrected: list[tuple[float | None, int]] = [(None, 1)] * len(chances)
    highest = 0.0
    for rank, place in enumerate(places):
        highest = max(highest, min(1.0, (len(places) - rank) * (chances[place] or 0.0)))
        corrected[place] = highest, len(places) - rank
    return corrected

"""Where words stand in a panel, so that none prints over another, over a limit's line, or beside a point that it is not of.

Places are shares of the panel's width, unless it is said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["right", "above", "left"]

OFFSET, LETTER = 0.034, 0.029
"""From a point to its text, and a letter: 6 and 5 points of a narrow panel's 176."""
MARKER = 0.02
"""Half a point's marker, and some air."""
TEXT = 0.1
"""How far above its point a text reaches, as a share of the panel's height."""
BAND = 0.09
"""What the upright name of a limit takes beside its line."""
TOP = 0.75
"""How far up a panel begins what such a name takes."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A point's text, empty where there is no room for it, and from where to where it stands."""

    text: str
    side: Side
    start: float
    end: float


def beside(points: Sequence[float], texts: Sequence[str], limit: float | None) -> tuple[Beside, ...]:
    """A text for each point of one path: on its right, else above it, else on its left. The last always has one; of the others
    those that cross neither the line at ``limit``, nor another point, nor another text."""
    found: list[Beside] = []
    for place in range(len(points) - 1, -1, -1):
        around = [*(point for number, point in enumerate(points) if number != place), *([] if limit is None else [limit])]
        sides = [_stands(points[place], texts[place], side) for side in ("right", "above", "left")]
        free = [one for one in sides if _free(one, points[place], around, found)]
        found.append(free[0] if free else sides[1] if place == len(points) - 1 else Beside("", *_nowhere(points[place])))
    return tuple(reversed(found))


def _nowhere(point: float) -> tuple[Side, float, float]:
    return "right", point, point


def _stands(point: float, text: str, side: Side) -> Beside:
    width = LETTER * len(text)
    start = {"right": point + OFFSET, "above": point - width / 2, "left": point - OFFSET - width}[side]
    return Beside(text, side, start, start + width)


def _free(one: Beside, point: float, around: Sequence[float], others: Sequence[Beside]) -> bool:
    start = point if one.side == "right" else one.start - MARKER
    end = point if one.side == "left" else one.end + MARKER
    clear = not any(start < each < end for each in around) and one.end <= 1
    return clear and not any(one.start < other.end and one.end > other.start for other in others if other.text)


def name_on_the_right(limit: float, taken: Sequence[tuple[float, float, float]]) -> bool:
    """Whether a limit's name stands on the right of its line: where on its left something is in its way, and on its right
    nothing. ``taken``: from where to where something stands, and how far up, as shares of the panel."""
    high = [(start, end) for start, end, up in taken if up >= TOP]
    left = any(start < limit and end > limit - BAND for start, end in high)
    right = limit + BAND > 1 or any(end > limit and start < limit + BAND for start, end in high)
    return left and not right

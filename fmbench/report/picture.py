"""What a picture shows, apart from what draws it: charts build these, ``paint`` (PNG) and ``weave`` (HTML) draw them.

So the still picture and the one with hover and zoom come from the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmbench.report.labels import Side
from fmbench.report.style import Look

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """An axis: what it shows with its unit, logarithmic or not, and ticks of its own when it has some."""

    label: str
    log: bool = False
    ticks: tuple[float, ...] | None = None
    tick_labels: tuple[str, ...] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve of ``y`` over ``x``, with whiskers from ``low`` to ``high`` (and a ``band`` between them) where they are given.

    NaN breaks it.
    """

    label: str
    look: Look
    x: Values
    y: Values
    low: Values | None = None
    high: Values | None = None
    hover: tuple[str, ...] | None = None
    markers: bool = True
    steps: bool = False
    band: bool = True
    width: float = 1.8


@dataclass(frozen=True, kw_only=True)
class Dots:
    """Points of their own, large (``size`` ≥ 5: marked one by one) or a cloud; ``texts`` stand beside them."""

    label: str
    look: Look
    x: Values
    y: Values
    size: float = 8
    alpha: float = 1.0
    texts: tuple[str, ...] | None = None
    sides: tuple[Side, ...] = ()
    """On which side of its point each text stands; none: on the right."""
    below: bool = False
    """Whether texts stand below the height of their points, and not above it."""
    hover: tuple[str, ...] | None = None
    ring: bool = False
    """Drawn as hollow circles, to mark points of other marks."""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Bars from ``base`` up by ``height`` around ``x``."""

    label: str
    look: Look
    x: Values
    height: Values
    base: Values
    width: float
    hover: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Shade:
    """A shaded rectangle behind everything, or a ``solid`` one over the grid; ``None`` reaches to the panel's edge."""

    label: str
    colour: str
    left: float | None = None
    right: float | None = None
    bottom: float | None = None
    top: float | None = None
    solid: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A limit: a dashed line across the panel at ``value`` of the ``x`` or ``y`` axis, with its name beside it."""

    axis: Literal["x", "y"]
    value: float
    label: str
    right: bool = False
    """Whether the name of a line across x stands on its right, and not on its left."""


Mark = Line | Dots | Bars | Shade | Rule


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes. ``note`` says the sample sizes."""

    title: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    note: str = ""
    height: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A titled set of panels in reading order, and the one sentence that says what to see."""

    title: str
    sentence: str
    panels: tuple[Panel, ...]
    columns: int = 2
    caption: str = ""
    """How to read it: bands, units, what was left out."""


@dataclass(frozen=True)
class Key:
    """A line of the legend."""

    label: str
    look: Look
    kind: Literal["line", "dots", "ring", "bars", "shade"]
    markers: bool = True


MOST_ROWS = 2
ROW_HEIGHT = 2.25
"""Inches of a panel where there are two rows: with titles and axes the picture is as high as a slide of 10 by 7.5."""


def slides(picture: Picture) -> list[Picture]:
    """The picture in parts that are no taller than a slide each; the first keeps its title and its sentence."""
    columns = 3 if len(picture.panels) > 4 else picture.columns
    most = MOST_ROWS * columns
    parts = [picture.panels[start : start + most] for start in range(0, len(picture.panels), most)]
    return [
        replace(
            picture,
            title=picture.title if len(parts) == 1 else f"{picture.title} ({number} of {len(parts)})",
            panels=tuple(replace(panel, height=min(panel.height, ROW_HEIGHT)) for panel in panels)
            if len(panels) > columns
            else panels,
            columns=columns,
        )
        for number, panels in enumerate(parts, 1)
    ]


def keys_of(picture: Picture) -> list[Key]:
    """The legend: every labelled mark once, in the order of appearance."""
    found: dict[str, Key] = {}
    for mark in _marks(picture):
        if not isinstance(mark, Rule) and mark.label and mark.label not in found:
            found[mark.label] = _key(mark)
    return list(found.values())


def _marks(picture: Picture) -> Iterator[Mark]:
    for panel in picture.panels:
        yield from panel.marks


def _key(mark: Line | Dots | Bars | Shade) -> Key:
    if isinstance(mark, Shade):
        return Key(mark.label, Look(mark.colour, "s", "solid", ""), "shade")
    if isinstance(mark, Bars):
        return Key(mark.label, mark.look, "bars")
    if isinstance(mark, Dots):
        return Key(mark.label, mark.look, "ring" if mark.ring else "dots")
    return Key(mark.label, mark.look, "line", mark.markers)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers from ``low`` to ``high``, few enough to be read on a logarithmic axis."""
    ratio = high / low
    steps = (
        (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8) if ratio < 4 else (1, 2, 3, 5, 7) if ratio < 20 else (1, 2, 5) if ratio < 1000 else (1,)
    )
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [tick for decade in decades for step in steps if low <= (tick := float(f"{step}e{decade}")) <= high]


def thinned(values: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most ``most`` of ``values``, evenly picked: the same ones each time."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).round().astype(np.int64)]

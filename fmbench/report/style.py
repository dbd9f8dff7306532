"""One look for every picture: the same colour, marker, line and hatch for a model wherever it stands.

The colours are Okabe and Ito's (apart to colour-blind eyes, without their yellow, which white paper swallows);
markers, lines and hatches tell the same models apart in black and white.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B5B5B", "#8C564B")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("solid", "dash", "dashdot", "dot", "longdash")
KIND_COLOURS = ("#8C1C2B", "#D9A0A0", "#54478C", "#B5B2C9", "#6B705C", "#C9C2A5", "#2F3E46", "#9AA5A8")
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "+++", "ooo")

INK = "#1F2933"
MUTED = "#66727F"
GRID = "#E4E8EC"
FEASIBLE = "#DDF1E4"
MEASURED = "#E6EEF7"
SPOILT = "#F0EBE3"
WINDOW = "#9DB8D2"
STEADY = "#3E6A91"
LIMIT = "#B00020"

MATPLOTLIB_DASHES: dict[str, Any] = {
    "solid": "solid",
    "dash": (0, (5, 2)),
    "dashdot": (0, (6, 2, 1, 2)),
    "dot": (0, (1, 1)),
    "longdash": (0, (9, 2)),
}
PLOTLY_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
}

MATPLOTLIB: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": "#B8C0C8",
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "agg.path.chunksize": 20_000,
}
DPI = 120


@dataclass(frozen=True)
class Look:
    """How one series is told from the others, in colour and without."""

    colour: str
    marker: str
    dash: str
    hatch: str


def look_of(index: int) -> Look:
    """The look of the ``index``-th series; the first 56 differ in colour or marker."""
    lap = index // len(COLOURS)
    return Look(
        colour=COLOURS[index % len(COLOURS)],
        marker=MARKERS[(index + lap) % len(MARKERS)],
        dash=DASHES[(index + lap) % len(DASHES)],
        hatch=HATCHES[(index + lap) % len(HATCHES)],
    )


def kind_look(index: int) -> Look:
    """The look of the ``index``-th kind of failure: colours that no model has; the first 64 differ in colour or hatch."""
    lap = index // len(KIND_COLOURS)
    return Look(KIND_COLOURS[index % len(KIND_COLOURS)], "X", "solid", HATCHES[(index + 3 * lap) % len(HATCHES)])

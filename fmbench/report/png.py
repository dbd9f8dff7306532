"""A picture as a PNG, by matplotlib's Agg: fixed size, fonts and metadata, so the same picture is the same bytes."""

from __future__ import annotations

import io
import logging
import math
import warnings
from functools import singledispatchmethod
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from fmbench.report import style
from fmbench.report.labels import Side
from fmbench.report.picture import Axis, Bars, Dots, Key, Line, Panel, Picture, Rule, Shade, Values, keys_of, log_ticks
from fmbench.report.wording import digits

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # that it makes a cache, once, is no warning to a user

WIDTH = 10.0
LEFT, RIGHT, GAP = 0.75, 0.2, 0.85
TITLE, LEGEND_ROW, HEAD, FOOT = 0.42, 0.22, 0.42, 0.62


def png(picture: Picture) -> bytes:
    """The picture's PNG: 10 inches wide at 120 dpi; no date, no program's version inside."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a letter that the font has not is drawn as a box
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style.MATPLOTLIB)  # type: ignore[arg-type]
        figure = draw(picture)
        out = io.BytesIO()
        FigureCanvasAgg(figure)
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def draw(picture: Picture) -> Figure:
    """The picture as a matplotlib figure: title, legend, then the panels in a grid, placed by inches."""
    columns = min(picture.columns, len(picture.panels))
    rows = [picture.panels[start : start + columns] for start in range(0, len(picture.panels), columns)]
    keys = keys_of(picture)
    per_row = _keys_per_row(keys)
    top = TITLE + LEGEND_ROW * math.ceil(len(keys) / per_row)
    height = top + sum(HEAD + max(panel.height for panel in row) + FOOT for row in rows)
    figure = Figure(figsize=(WIDTH, height), dpi=style.DPI, facecolor="white")
    figure.text(0.2 / WIDTH, 1 - 0.14 / height, picture.title, va="top", weight="bold", size=12)
    _legend(figure, keys, per_row, 1 - TITLE / height)
    width = (WIDTH - LEFT - RIGHT - GAP * (columns - 1)) / columns
    bottom = height - top
    for row in rows:
        bottom -= HEAD + max(panel.height for panel in row)
        for column, panel in enumerate(row):
            left = LEFT + column * (width + GAP)
            axes = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, panel.height / height))
            _Painter(axes, panel).paint()
        bottom -= FOOT
    return figure


def _keys_per_row(keys: list[Key]) -> int:
    longest = max((len(key.label) for key in keys), default=1)
    return max(1, min(6, int((WIDTH - 0.4) / (0.55 + 0.066 * longest))))


def _legend(figure: Figure, keys: list[Key], per_row: int, top: float) -> None:
    if keys:
        handles = [_handle(key) for key in keys]
        labels = [key.label for key in keys]
        figure.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(0.1 / WIDTH, top),
            ncols=per_row,
            borderaxespad=0,
            handlelength=2.6,
            columnspacing=1.6,
            labelspacing=0.35,
        )


def _handle(key: Key) -> Artist:
    look = key.look
    if key.kind == "shade":
        return Patch(facecolor=look.colour, edgecolor="#B8C0C8", linewidth=0.5)
    if key.kind == "bars":
        return Patch(facecolor=look.colour, edgecolor="white", hatch=look.hatch)
    marker = look.marker if key.markers else ""
    dash: Any = style.MATPLOTLIB_DASHES[look.dash] if key.kind == "line" else "none"
    inside = "none" if key.kind == "ring" else look.colour
    return Line2D([], [], color=look.colour, marker=marker, linestyle=dash, markerfacecolor=inside)


class _Painter:
    """Draws one panel on one pair of axes."""

    def __init__(self, axes: Axes, panel: Panel) -> None:
        self.axes = axes
        self.panel = panel

    def paint(self) -> None:
        self._scales()
        for mark in self.panel.marks:
            self._draw(mark)
        self.axes.set_title(self.panel.title, pad=8)
        if self.panel.note:
            self.axes.text(
                1, 1.03, self.panel.note, transform=self.axes.transAxes, ha="right", va="bottom", size=7.5, color=style.MUTED
            )
        self._limits()

    def _scales(self) -> None:
        axes, x, y = self.axes, self.panel.x, self.panel.y
        axes.set_xscale("log" if x.log else "linear")
        axes.set_yscale("log" if y.log else "linear")
        axes.set_xlabel(x.label)
        axes.set_ylabel(y.label)
        _ticks(axes.xaxis, x)
        _ticks(axes.yaxis, y)

    def _limits(self) -> None:
        x, y = self.panel.x, self.panel.y
        self.axes.set_xlim(left=x.low, right=x.high)
        self.axes.set_ylim(bottom=y.low, top=y.high)
        _log_ticks(self.axes.xaxis, x)
        _log_ticks(self.axes.yaxis, y)

    @singledispatchmethod
    def _draw(self, mark: object) -> None:
        raise TypeError(f"no way to draw a {type(mark).__name__}")

    @_draw.register
    def _(self, mark: Line) -> None:
        look = mark.look
        style_of: dict[str, Any] = {
            "color": look.colour,
            "linestyle": style.MATPLOTLIB_DASHES[look.dash],
            "linewidth": mark.width,
        }
        if mark.steps:
            self.axes.step(mark.x, mark.y, where="post", **style_of)
        else:
            marker = look.marker if mark.markers else ""
            self.axes.plot(mark.x, mark.y, marker=marker, markeredgecolor="white", markeredgewidth=0.7, zorder=3, **style_of)
        if mark.low is not None and mark.high is not None:
            self._band(mark, mark.low, mark.high)

    def _band(self, mark: Line, low: Values, high: Values) -> None:
        if mark.band and len(mark.x) > 1:
            self.axes.fill_between(mark.x, low, high, color=mark.look.colour, alpha=0.16, linewidth=0, zorder=2)
        if mark.markers:
            self.axes.vlines(mark.x, low, high, color=mark.look.colour, linewidth=1, alpha=0.75, zorder=2.5)

    @_draw.register
    def _(self, mark: Dots) -> None:
        cloud = mark.size < 5
        if mark.ring:
            circle: dict[str, Any] = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": mark.look.colour}
            self.axes.plot(mark.x, mark.y, linestyle="none", markersize=mark.size, markeredgewidth=1.2, zorder=4.5, **circle)
            return
        self.axes.plot(
            mark.x,
            mark.y,
            linestyle="none",
            marker=mark.look.marker,
            markersize=mark.size,
            color=mark.look.colour,
            alpha=mark.alpha,
            markeredgecolor="none" if cloud else "white",
            markeredgewidth=0.7,
            rasterized=cloud,
            zorder=2.2 if cloud else 4,
        )
        self._texts(mark)

    def _texts(self, mark: Dots) -> None:
        words: dict[str, Any] = {"textcoords": "offset points", "size": 8, "color": mark.look.colour, "zorder": 5}
        texts = mark.texts or ()
        for x, y, text, side in zip(mark.x, mark.y, texts, mark.sides or _RIGHT * len(texts), strict=False):
            (right, up), across = _SIDES[side]
            down = {"xytext": (right, -up), "va": "top"} if mark.below else {"xytext": (right, up)}
            self.axes.annotate(text, (x, y), ha=across, **down, **words)

    @_draw.register
    def _(self, mark: Bars) -> None:
        self.axes.bar(
            mark.x,
            mark.height,
            mark.width,
            bottom=mark.base,
            color=mark.look.colour,
            hatch=mark.look.hatch,
            edgecolor="white",
            linewidth=0.4,
        )

    @_draw.register
    def _(self, mark: Shade) -> None:
        horizontal = mark.left is None and mark.right is None
        vertical = mark.bottom is None and mark.top is None
        if vertical and mark.left is not None and mark.right is not None:
            self.axes.axvspan(mark.left, mark.right, color=mark.colour, linewidth=0, zorder=0)
        elif horizontal and mark.bottom is not None and mark.top is not None:
            self.axes.axhspan(mark.bottom, mark.top, color=mark.colour, linewidth=0, zorder=0)
        else:
            self._rectangle(mark)

    def _rectangle(self, mark: Shade) -> None:
        x, y = self.panel.x, self.panel.y
        left = _edge(mark.left, x.low)
        bottom = _edge(mark.bottom, y.low)
        width = _edge(mark.right, x.high) - left
        height = _edge(mark.top, y.high) - bottom
        self.axes.add_patch(
            Rectangle((left, bottom), width, height, color=mark.colour, linewidth=0, zorder=1 if mark.solid else 0)
        )

    @_draw.register
    def _(self, mark: Rule) -> None:
        line: dict[str, Any] = {"color": style.LIMIT, "linestyle": (0, (4, 3)), "linewidth": 1.1, "zorder": 1.5}
        words: dict[str, Any] = {"size": 7.5, "color": style.LIMIT, "clip_on": True, "zorder": 6}
        words["bbox"] = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
        if mark.axis == "x":
            self.axes.axvline(mark.value, **line)
            place: dict[str, Any] = {"xy": (mark.value, 1), "xycoords": self.axes.get_xaxis_transform()}
            place |= {"xytext": (4, -4), "ha": "left"} if mark.right else {"xytext": (-4, -4), "ha": "right"}
            self.axes.annotate(mark.label, **place, textcoords="offset points", va="top", rotation=90, **words)
        else:
            self.axes.axhline(mark.value, **line)
            place = {"xy": (0, mark.value), "xycoords": self.axes.get_yaxis_transform(), "xytext": (5, 3)}
            self.axes.annotate(mark.label, **place, textcoords="offset points", va="bottom", ha="left", **words)


_RIGHT: tuple[Side, ...] = ("right",)
_SIDES: dict[Side, tuple[tuple[int, int], str]] = {
    "right": ((6, 5), "left"),
    "above": ((0, 8), "center"),
    "left": ((-6, 5), "right"),
}
"""Where a text stands from its point, in points, and which end of it."""


def _edge(value: float | None, limit: float | None) -> float:
    if value is not None:
        return value
    return 0.0 if limit is None else limit


def _ticks(axis: matplotlib.axis.Axis, spec: Axis) -> None:
    if spec.ticks is not None:
        labels = spec.tick_labels or tuple(digits(tick) for tick in spec.ticks)
        axis.set_major_locator(FixedLocator(list(spec.ticks)))
        axis.set_major_formatter(
            FuncFormatter(lambda _, place: labels[place] if place is not None and place < len(labels) else "")
        )
        axis.set_minor_locator(NullLocator())
        return
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}" if value else "0"))
    axis.set_minor_formatter(NullFormatter())
    if not spec.log:
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))


def _log_ticks(axis: matplotlib.axis.Axis, spec: Axis) -> None:
    if spec.log and spec.ticks is None:
        low, high = axis.get_view_interval()
        axis.set_major_locator(FixedLocator(log_ticks(low, high)))
        axis.set_minor_locator(NullLocator())

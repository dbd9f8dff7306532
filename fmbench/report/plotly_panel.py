"""A picture for the browser: one plotly figure a panel (data and layout as plain dicts), so that panels flow on a narrow screen.

No clock, no random id: the page names the places, and numbers are cut to five significant digits.
"""

from __future__ import annotations

import math
from functools import singledispatchmethod
from html import escape
from typing import Any

from fmbench.core.neutral import visible
from fmbench.report import style
from fmbench.report.picture import Axis, Bars, Dots, Line, Panel, Rule, Shade, Values
from fmbench.report.wording import digits

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
Spec = dict[str, Any]


def plotly_figure(panel: Panel) -> Spec:
    """``{"data": […], "layout": {…}}`` for plotly.js, of nothing but JSON's own types (NaN becomes null)."""
    figure = _PanelFigure(panel)
    for mark in panel.marks:
        figure.add(mark)
    return {"data": figure.traces, "layout": figure.layout()}


def numbers_of(values: Values) -> list[float | None]:
    """Numbers for JSON: five significant digits, null for what is not finite."""
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values.tolist()]


def shown(text: str) -> str:
    """``text`` as plotly shows it letter by letter: but for ``<br>``, its markup is none."""
    return "<br>".join(escape(visible(line), quote=False) for line in text.split("<br>"))


class _PanelFigure:
    """Gathers one panel's traces, shapes and annotations."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.traces: list[Spec] = []
        self.shapes: list[Spec] = []
        self.notes: list[Spec] = []

    def layout(self) -> Spec:
        return {
            "height": round(self.panel.height * 96) + 80,
            "margin": {"l": 58, "r": 14, "t": 30, "b": 48},
            "font": {"family": FONT, "size": 12, "color": style.INK},
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
            "showlegend": False,
            "hovermode": "closest",
            "barmode": "overlay",
            "xaxis": _axis(self.panel.x, self._span("x")),
            "yaxis": _axis(self.panel.y, self._span("y")),
            "shapes": self.shapes,
            "annotations": self.notes,
        }

    def _span(self, along: str) -> float:
        """How many times the lowest positive value along an axis the highest is."""
        values = [value for trace in self.traces for value in trace[along] if value is not None and value > 0]
        return max(values) / min(values) if values else 1.0

    @singledispatchmethod
    def add(self, mark: object) -> None:
        raise TypeError(f"no way to draw a {type(mark).__name__}")

    @add.register
    def _(self, mark: Line) -> None:
        if mark.low is not None and mark.high is not None:
            self._band(mark, mark.low, mark.high)
        trace = self._trace(mark.label, mark.x, mark.y, mark.hover)
        trace["mode"] = "lines+markers" if mark.markers and not mark.steps else "lines"
        trace["line"] = {"color": mark.look.colour, "dash": mark.look.dash, "width": mark.width + 0.2}
        if mark.steps:
            trace["line"]["shape"] = "hv"
        trace["marker"] = _marker(mark.look, 8)
        if mark.low is not None and mark.high is not None:
            trace["error_y"] = _whiskers(mark, mark.low, mark.high)
        self.traces.append(trace)

    def _band(self, mark: Line, low: Values, high: Values) -> None:
        if len(mark.x) < 2 or not mark.band:
            return
        edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "x": numbers_of(mark.x)}
        self.traces.append({**edge, "y": numbers_of(low)})
        self.traces.append({**edge, "y": numbers_of(high), "fill": "tonexty", "fillcolor": _tint(mark.look.colour, 0.16)})

    @add.register
    def _(self, mark: Dots) -> None:
        trace = self._trace(mark.label, mark.x, mark.y, mark.hover)
        trace["mode"] = "markers+text" if mark.texts else "markers"
        trace["marker"] = {**_marker(mark.look, mark.size + 2), "opacity": mark.alpha}
        if mark.size < 5:
            trace["marker"] |= {"size": mark.size + 1, "line": {"width": 0}}
        if mark.ring:
            trace["hoverinfo"] = "skip"
            trace.pop("hovertemplate", None)
            trace["marker"] |= {"symbol": "circle-open", "line": {"color": mark.look.colour, "width": 1.5}}
        if mark.texts:
            level = "bottom" if mark.below else "top"
            trace |= {
                "text": [shown(text) for text in mark.texts],
                "textposition": [f"{level} {_SIDES.get(side, side)}" for side in mark.sides] or f"{level} right",
                "textfont": {"color": mark.look.colour, "size": 11},
            }
        self.traces.append(trace)

    @add.register
    def _(self, mark: Bars) -> None:
        trace = self._trace(mark.label, mark.x, mark.height, mark.hover)
        trace |= {"type": "bar", "base": numbers_of(mark.base), "width": float(f"{mark.width:.5g}")}
        trace["marker"] = {"color": mark.look.colour, "line": {"color": "white", "width": 0.5}}
        self.traces.append(trace)

    @add.register
    def _(self, mark: Shade) -> None:
        layer = "above" if mark.solid else "below"
        shape: Spec = {"type": "rect", "layer": layer, "line": {"width": 0}, "fillcolor": mark.colour}
        for along, first, last in (("x", mark.left, mark.right), ("y", mark.bottom, mark.top)):
            shape |= self._reach(along, first, last)
        self.shapes.append(shape)

    def _reach(self, along: str, first: float | None, last: float | None) -> Spec:
        axis = self.panel.x if along == "x" else self.panel.y
        if first is None and last is None:
            return {f"{along}ref": f"{along} domain", f"{along}0": 0, f"{along}1": 1}
        low = first if first is not None else axis.low or 0
        high = last if last is not None else axis.high
        return {f"{along}ref": along, f"{along}0": low, f"{along}1": high}

    @add.register
    def _(self, mark: Rule) -> None:
        across = "y" if mark.axis == "x" else "x"
        line = {"color": style.LIMIT, "dash": "dash", "width": 1.2}
        place = {f"{mark.axis}ref": mark.axis, f"{mark.axis}0": mark.value, f"{mark.axis}1": mark.value}
        whole = {f"{across}ref": f"{across} domain", f"{across}0": 0, f"{across}1": 1}
        self.shapes.append({"type": "line", "line": line, **place, **whole})
        spec = self.panel.x if mark.axis == "x" else self.panel.y
        at = math.log10(mark.value) if spec.log else mark.value
        corner = (
            {"xanchor": "left" if mark.right else "right", "yanchor": "top"}
            if mark.axis == "x"
            else {"xanchor": "left", "yanchor": "bottom"}
        )
        self.notes.append(
            {
                "text": shown(mark.label),
                "showarrow": False,
                "font": {"size": 10, "color": style.LIMIT},
                "bgcolor": "rgba(255,255,255,0.75)",
                f"{mark.axis}ref": mark.axis,
                mark.axis: at,
                f"{across}ref": f"{across} domain",
                across: 1 if mark.axis == "x" else 0,
                "textangle": -90 if mark.axis == "x" else 0,
                **corner,
            }
        )

    def _trace(self, label: str, x: Values, y: Values, hover: tuple[str, ...] | None) -> Spec:
        label = shown(label)
        trace: Spec = {"type": "scatter", "name": label, "x": numbers_of(x), "y": numbers_of(y)}
        if hover is not None:
            return trace | {"hovertext": [shown(text) for text in hover], "hoverinfo": "text"}
        return trace | {"hovertemplate": f"{label}<br>%{{x:.3~g}}, %{{y:.3~g}}<extra></extra>"}


_SIDES = {"above": "center"}


def _whiskers(mark: Line, low: Values, high: Values) -> Spec:
    return {
        "type": "data",
        "symmetric": False,
        "array": numbers_of(high - mark.y),
        "arrayminus": numbers_of(mark.y - low),
        "thickness": 1,
        "width": 0,
        "color": mark.look.colour,
    }


def _marker(look: style.Look, size: float) -> Spec:
    return {
        "color": look.colour,
        "symbol": style.PLOTLY_SYMBOLS[look.marker],
        "size": size,
        "line": {"color": "white", "width": 0.8},
    }


def _tint(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def _axis(axis: Axis, span: float) -> Spec:
    spec: Spec = {
        "title": {"text": axis.label, "font": {"size": 12}, "standoff": 8},
        "type": "log" if axis.log else "linear",
        "gridcolor": style.GRID,
        "linecolor": "#B8C0C8",
        "showline": True,
        "zeroline": False,
        "automargin": True,
    }
    if axis.ticks is not None:
        labels = axis.tick_labels or tuple(digits(tick) for tick in axis.ticks)
        spec |= {"tickmode": "array", "tickvals": [float(tick) for tick in axis.ticks], "ticktext": list(labels)}
    elif axis.log:
        spec |= {"dtick": "D2" if span < 1000 else 1, "tickformat": "~g"}
    if axis.low is not None and axis.high is not None:
        ends = (math.log10(axis.low), math.log10(axis.high)) if axis.log else (axis.low, axis.high)
        spec["range"] = [float(f"{end:.6g}") for end in ends]
    elif not axis.log and axis.low == 0:
        spec["rangemode"] = "tozero"
    return spec

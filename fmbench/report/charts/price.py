"""Price against latency and throughput, with the objectives drawn in, the region that meets them shaded, and the Pareto front."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fmbench.core.cells import level_of
from fmbench.core.figures.cost import COST
from fmbench.core.figures.figure import Figure
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.quality import QUALITY
from fmbench.core.figures.rates import TRANSACTIONS
from fmbench.core.figures.registry import of_key
from fmbench.core.units import SECONDS
from fmbench.report.charts.base import Chart, value_of
from fmbench.report.charts.users import percentile_shown
from fmbench.report.labels import TEXT, Beside, beside, name_on_the_right
from fmbench.report.numbers import as_limit, interval, limit_words, listed, plain, seconds, usd
from fmbench.report.picture import Axis, Dots, Line, Mark, Panel, Picture, Rule, Shade, Values, log_ticks
from fmbench.report.study import Cell, Study
from fmbench.report.style import FEASIBLE, INK, Look
from fmbench.report.words import at_level, level_number

RING = Look(colour=INK, marker="o", dash="solid", hatch="")


@dataclass(frozen=True)
class Across:
    """What a panel sets the price against: a figure of a cell, and its limit."""

    figure: Figure
    title: str
    limit: float | None

    def of(self, cell: Cell) -> float:
        return value_of(self.figure, cell)

    @property
    def limit_words(self) -> str:
        assert self.limit is not None
        return f"{'≤' if self.figure.less_is_better else '≥'} {limit_words(self.figure, self.limit)}"


def prepare(study: Study, buckets: list[str], title: str) -> Picture | None:
    """A panel a bucket and figure: each latency with an objective (end to end when none has), throughput, and quality where
    answers were scored; a path a model."""
    figures = _figures(study)
    panels = [panel for bucket in buckets for across in figures if (panel := _panel(study, bucket, across))]
    if not panels:
        return None
    return Picture(
        title=title,
        sentence=_sentence(study, buckets[0]),
        panels=tuple(panels),
        columns=3 if len(panels) % 3 == 0 else 2,
        caption=f"Down is better; so is left for latency, and right for {listed(_more_is_better(figures))}. "
        "A path joins one model's levels; "
        f"the number at a point is its {study.load_words}. {_front_words(study, buckets[0])}Failures are judged in the table.",
    )


def _more_is_better(found: list[Across]) -> list[str]:
    return [across.figure.title for across in found if not across.figure.less_is_better]


def _figures(study: Study) -> list[Across]:
    limited = {asked.latency.key for objective in study.limits if (asked := objective.percentile) is not None}
    drawn = [latency for latency in LATENCIES if latency.from_sending and latency.key in limited]
    figures: list[tuple[Figure, str]] = [
        (figure, f"{latency.title}, {figure.name}")
        for latency in drawn or [min(LATENCIES, key=lambda latency: latency.decides)]
        if (figure := percentile_shown(study, latency)) is not None
    ]
    if figures:
        figures.append((TRANSACTIONS, TRANSACTIONS.heading))
    if figures and any(cell.get("quality") for cell in study.cells):
        figures.append((QUALITY, f"{QUALITY.heading}, mean score"))
    return [Across(figure, title, study.limit(figure)) for figure, title in figures]


def _panel(study: Study, bucket: str, across: Across) -> Panel | None:
    points = [cell for cell in study.cells if cell["bucket"] == bucket and _placed(cell, across)]
    if not points:
        return None
    most = study.limit(COST)
    x_axis, y_axis = _x_axis(points, across), _y_axis(points, most)
    marks: list[Mark] = [*_feasible(across, most, x_axis, y_axis)]
    texts: list[tuple[float, float, float]] = []
    for model in study.models:
        cells = [cell for cell in points if cell["model"] == model]
        names = _texts(cells, across, x_axis, len(study.models) > 5)
        below = most is not None and any(_is_close_above(most, cell, y_axis) for cell in cells)
        marks += _path(study, cells, across, names, below)
        texts += [(one.start, one.end, _up(value_of(COST, cell), y_axis)) for one, cell in zip(names, cells, strict=True)]
    marks += _ring(study, bucket, points, across)
    if across.limit is not None:
        right = name_on_the_right(across.limit / _width(x_axis), texts)
        marks.append(Rule(axis="x", value=across.limit, label=across.limit_words, right=right))
    if most is not None:
        marks.append(Rule(axis="y", value=most, label=f"≤ ${as_limit(most, '')}"))
    return Panel(title=f"{bucket}: {across.figure.title}", x=x_axis, y=y_axis, marks=tuple(marks))


def _placed(cell: Cell, across: Across) -> bool:
    return bool(np.isfinite(across.of(cell)) and value_of(COST, cell) > 0)


def _x_axis(points: list[Cell], across: Across) -> Axis:
    right = max([across.of(cell) for cell in points] + ([across.limit] if across.limit else []))
    return Axis(label=f"{across.title} (s)" if across.figure.unit is SECONDS else across.title, low=0.0, high=1.18 * right)


def _y_axis(points: list[Cell], most: float | None) -> Axis:
    prices = [value_of(COST, cell) for cell in points] + ([most] if most else [])
    low, high = min(prices) / 2, max(prices) * 2
    ticks = tuple(log_ticks(low, high))
    labels = tuple(f"${tick:,g}" for tick in ticks)
    return Axis(label="USD per 10,000 transactions (log)", log=True, low=low, high=high, ticks=ticks, tick_labels=labels)


def _feasible(across: Across, most: float | None, x: Axis, y: Axis) -> list[Mark]:
    if across.limit is None and most is None:
        return []
    whole = Shade(label="meets the objectives drawn", colour=FEASIBLE, left=x.low, right=x.high, bottom=y.low, top=most or y.high)
    if across.limit is None:
        return [whole]
    return [replace(whole, right=across.limit) if across.figure.less_is_better else replace(whole, left=across.limit)]


def _is_close_above(limit: float, cell: Cell, y_axis: Axis) -> bool:
    """Whether the line of the highest price runs where a text above the cell's point would stand."""
    return 0 <= _up(limit, y_axis) - _up(value_of(COST, cell), y_axis) < TEXT


def _path(study: Study, cells: list[Cell], across: Across, names: tuple[Beside, ...], below: bool) -> list[Mark]:
    if not cells:
        return []
    model = cells[0]["model"]
    x, y = _place(cells, across)
    name, look = study.short(model), study.look(model)
    hover = tuple(_hover(study, cell, across) for cell in cells)
    line = Line(label=name, look=look, x=x, y=y, hover=hover, width=1.2)
    texts, sides = tuple(one.text for one in names), tuple(one.side for one in names)
    return [line, Dots(label="", look=look, x=x, y=y, size=8, texts=texts, sides=sides, below=below, hover=hover)]


def _place(cells: list[Cell], across: Across) -> tuple[Values, Values]:
    return np.array([across.of(cell) for cell in cells]), np.array([value_of(COST, cell) for cell in cells])


def _texts(cells: list[Cell], across: Across, x_axis: Axis, last_only: bool) -> tuple[Beside, ...]:
    """Levels as texts, the last always and none that would print over another or over the limit's line."""
    width = _width(x_axis)
    limit = None if across.limit is None else across.limit / width
    names = ["" if last_only and cell is not cells[-1] else level_number(cell) for cell in cells]
    return beside([across.of(cell) / width for cell in cells], names, limit)


def _width(x_axis: Axis) -> float:
    """What a place on the axis, which begins at 0, is a share of."""
    return x_axis.high or 1.0


def _up(price: float, y_axis: Axis) -> float:
    """How far up a logarithmic axis a price stands, as a share."""
    assert y_axis.low is not None and y_axis.high is not None
    return float(np.log(price / y_axis.low) / np.log(y_axis.high / y_axis.low))


def _ring(study: Study, bucket: str, points: list[Cell], across: Across) -> list[Mark]:
    """Rings around the cells that no other beats in latency, cost and throughput at once."""
    front = {(cell["model"], level_of(cell)) for cell in study.front(bucket)}
    x, y = _place([cell for cell in points if (cell["model"], level_of(cell)) in front], across)
    ringed = len(x) > 0 and across.figure is not QUALITY
    return [Dots(label="on the Pareto front", look=RING, x=x, y=y, size=12, ring=True)] if ringed else []


def _front_words(study: Study, bucket: str) -> str:
    """What the Pareto front is of, as a sentence with a space behind it; nothing without one."""
    latency = next((name for cell in study.front(bucket) for name in cell if name.endswith("_s")), None)
    if latency is None:
        return ""
    return f"Ringed (the Pareto front): no other cell is better in {of_key(latency).title}, cost and throughput at once. "


def _hover(study: Study, cell: Cell, across: Across) -> str:
    value = across.of(cell)
    timed = across.figure.unit is SECONDS
    span = interval(across.figure.interval(cell)[1], value, across.figure.unit.symbol)
    title = f"{across.title[0].lower()}{across.title[1:]}"
    said = f"{across.title} {seconds(value)}" if timed else f"{plain(value)} {title}"
    return f"<b>{study.short(cell['model'])}</b>, {at_level(cell)}<br>{said} {span}<br>{usd(value_of(COST, cell))} per 10,000"


def _sentence(study: Study, bucket: str) -> str:
    prices = {}
    for model in study.named:
        paid = [value_of(COST, cell) for cell in study.ladder(model, bucket)]
        paid = [price for price in paid if np.isfinite(price)]
        if paid:
            prices[study.short(model)] = float(np.median(paid))
    ranked = sorted(prices.items(), key=lambda pair: (pair[1], pair[0]))
    said = listed([f"{usd(price)} on {name}" for name, price in ranked])
    middle = " (the middle of the levels)" if len(study.levels) > 1 else ""
    return f"10,000 transactions in {bucket} cost {said}{middle}.{_not_drawn(study, bucket)}"


def _not_drawn(study: Study, bucket: str) -> str:
    """The models that answered and have no place on a scale of prices."""
    priced = [cell["model"] for cell in study.cells if cell["bucket"] == bucket and value_of(COST, cell) > 0]
    answered = [model for model in study.models if any(cell["ok"] for cell in study.ladder(model, bucket))]
    left = [study.short(model) for model in answered if model not in priced]
    return f" Without a price, and so not drawn: {listed(left)}." if left else ""


def _first(study: Study) -> Picture | None:
    return prepare(study, study.buckets[:1], "Price against latency and throughput")


def _others(study: Study) -> Picture | None:
    return prepare(study, study.buckets[1:], "Price against latency and throughput in the other buckets")


CHARTS = (Chart("price-latency", _first, section="first"), Chart("price-latency-buckets", _others, section="buckets"))

"""Price against latency, with the objectives drawn in and the region that meets them shaded."""

from __future__ import annotations

import numpy as np

from fmbench.report.charts.base import Chart, bounds, number, with_unit
from fmbench.report.charts.users import quantile_shown
from fmbench.report.numbers import as_limit, interval, listed, plain, usd
from fmbench.report.picture import Axis, Dots, Line, Mark, Panel, Picture, Rule, Shade, Values, log_ticks
from fmbench.report.study import Cell, Study
from fmbench.report.style import FEASIBLE

WORDS = {"ttft_s": "Time to first token", "e2e_s": "End to end"}


def prepare(study: Study, buckets: list[str], title: str) -> Picture | None:
    """A panel a bucket and latency that has an objective (end to end when none has): a path a model through its levels."""
    panels = [panel for bucket in buckets for metric in _metrics(study) if (panel := _panel(study, bucket, metric))]
    if not panels:
        return None
    return Picture(
        title=title,
        sentence=_sentence(study, buckets[0]),
        panels=tuple(panels),
        caption="Left and down is better. A path joins one model's levels; the number at a point is its users. "
        "Failures and quality are judged in the table.",
    )


def _metrics(study: Study) -> list[str]:
    asked = [metric for metric in WORDS if any(name.startswith(f"{metric[:-2]}_p") for name in study.objectives)]
    return asked or ["e2e_s"]


def _panel(study: Study, bucket: str, metric: str) -> Panel | None:
    quantile = quantile_shown(study, metric)
    if quantile is None:
        return None
    points = [cell for cell in study.cells if cell["bucket"] == bucket and _placed(cell, metric, quantile)]
    if not points:
        return None
    limit, most = study.objectives.get(f"{metric[:-2]}_{quantile}_s"), study.objectives.get("usd_per_10k")
    x_axis = _x_axis(points, metric, quantile, limit)
    y_axis = _y_axis(points, most)
    marks: list[Mark] = []
    if limit is not None or most is not None:
        edges = {"left": x_axis.low, "right": limit, "bottom": y_axis.low, "top": most}
        marks.append(Shade(label="meets the objectives drawn", colour=FEASIBLE, **edges))
    for model in study.models:
        marks += _path(study, [cell for cell in points if cell["model"] == model], metric, quantile)
    if limit is not None:
        marks.append(Rule(axis="x", value=limit, label=f"{quantile} ≤ {as_limit(limit, 's')}"))
    if most is not None:
        marks.append(Rule(axis="y", value=most, label=f"≤ ${as_limit(most, '')}"))
    label = f"{WORDS[metric]}, {quantile} (s)"
    return Panel(title=f"{bucket}: {label[0].lower()}{label[1:]}", x=x_axis, y=y_axis, marks=tuple(marks))


def _placed(cell: Cell, metric: str, quantile: str) -> bool:
    return bool(np.isfinite(number(cell, metric, quantile)) and number(cell, "usd_per_10k") > 0)


def _x_axis(points: list[Cell], metric: str, quantile: str, limit: float | None) -> Axis:
    right = max([number(cell, metric, quantile) for cell in points] + ([limit] if limit else []))
    return Axis(label=f"{WORDS[metric]}, {quantile} (s)", low=0.0, high=1.18 * right)


def _y_axis(points: list[Cell], most: float | None) -> Axis:
    prices = [number(cell, "usd_per_10k") for cell in points] + ([most] if most else [])
    low, high = min(prices) / 2, max(prices) * 2
    ticks = tuple(log_ticks(low, high))
    labels = tuple(f"${tick:,g}" for tick in ticks)
    return Axis(label="USD per 10,000 transactions (log)", log=True, low=low, high=high, ticks=ticks, tick_labels=labels)


def _path(study: Study, cells: list[Cell], metric: str, quantile: str) -> list[Mark]:
    if not cells:
        return []
    model = cells[0]["model"]
    x = np.array([number(cell, metric, quantile) for cell in cells])
    y = np.array([number(cell, "usd_per_10k") for cell in cells])
    name, look = study.short(model), study.look(model)
    hover = tuple(_hover(study, cell, metric, quantile) for cell in cells)
    line = Line(label=name, look=look, x=x, y=y, hover=hover, width=1.2)
    return [line, Dots(label="", look=look, x=x, y=y, size=8, texts=_apart(x, cells, len(study.models) > 5), hover=hover)]


def _apart(x: Values, cells: list[Cell], last_only: bool) -> tuple[str, ...]:
    """Levels as texts, the last always and none so near to the next that they would print over each other."""
    texts: list[str] = []
    edge = np.inf
    for place in range(len(cells) - 1, -1, -1):
        free = edge - x[place] > 0.06 * float(np.max(x)) and not (last_only and texts)
        texts.append(str(cells[place]["concurrency"]) if free else "")
        edge = x[place] if free else edge
    return tuple(reversed(texts))


def _hover(study: Study, cell: Cell, metric: str, quantile: str) -> str:
    value = number(cell, metric, quantile)
    span = interval(bounds(cell, metric, "ci95", quantile), value)
    rate = plain(number(cell, "transactions_per_minute"), "a minute")
    return (
        f"<b>{study.short(cell['model'])}</b>, {cell['concurrency']} users"
        f"<br>{WORDS[metric]} {quantile} {with_unit(value, 's')} {span}"
        f"<br>{usd(number(cell, 'usd_per_10k'))} per 10,000<br>{rate}"
    )


def _sentence(study: Study, bucket: str) -> str:
    prices = {}
    for model in study.named:
        paid = [number(cell, "usd_per_10k") for cell in study.ladder(model, bucket)]
        paid = [price for price in paid if np.isfinite(price)]
        if paid:
            prices[study.short(model)] = float(np.median(paid))
    ranked = sorted(prices.items(), key=lambda pair: (pair[1], pair[0]))
    said = listed([f"{usd(price)} on {name}" for name, price in ranked])
    return f"10,000 transactions in {bucket} cost {said} (the middle of the levels)."


CHART = Chart("price-latency", lambda study: prepare(study, study.buckets[:1], "Price against latency"))
OTHERS = Chart(
    "price-latency-buckets", lambda study: prepare(study, study.buckets[1:], "Price against latency in the other buckets")
)

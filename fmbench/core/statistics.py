"""What a cell's samples say: the mean and percentiles of a latency with their intervals, rates over the window, shares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fmbench.core.clusters import Common
from fmbench.core.figures.rates import RATES
from fmbench.core.intervals import (
    Interval,
    dependence,
    indicator_dependence,
    mean_interval,
    percentile_interval,
    share_interval,
)
from fmbench.core.quantiles import Floats, stated_quantile
from fmbench.core.samples import PERCENTILES, name_of
from fmbench.core.sums import inner
from fmbench.core.table import Flags, Rows

SLICES = 32
"""A cell's windows are cut into about so many slices to see how its rates scatter."""


def finite(value: float | None) -> float | None:
    """The value, or None for what JSON cannot say."""
    return float(value) if value is not None and np.isfinite(value) else None


def pair(interval: Interval | None) -> list[float] | None:
    """An interval as JSON has it; None when an end of it is not finite."""
    if interval is None or not np.isfinite(interval).all():
        return None
    return [float(interval[0]), float(interval[1])]


def describe(series: Floats, common: Common | Floats | None = None, percents: Iterable[float] = ()) -> dict[str, Any]:
    """``{n, mean, p50, p90, p95, p99, ci95, n_effective}`` of values in the order of time; NaN left out.

    ``percents`` are further percentiles that were asked for.
    A percentile is None below its ``samples_needed``; ``ci95`` holds ``[low, high]`` (a latency is never below 0) for each
    figure, None where there is no figure. ``n_effective`` is how many independent values the mean is worth.
    """
    known_values = ~np.isnan(series)
    series, common = series[known_values], None if common is None else common[known_values]
    ascending = np.sort(series)
    known = dependence(series, common)
    figures: dict[str, Any] = {"n": len(series), "mean": finite(series.mean()) if len(series) else None}
    intervals = {"mean": _positive(mean_interval(series, known))}
    for percent in sorted({*PERCENTILES, *percents}):
        value = stated_quantile(ascending, percent / 100)
        figures[name_of(percent)] = finite(value)
        intervals[name_of(percent)] = None if value is None else pair(_around(series, ascending, percent / 100, common))
    return {**figures, "ci95": intervals, "n_effective": finite(round(known.effective, 1)) if len(series) else 0}


def outline(series: Floats) -> dict[str, Any]:
    """``{n, mean, p50, p95}``: what ``describe`` says of values in any order, without the work that intervals are."""
    ascending = np.sort(series[~np.isnan(series)])
    mean = series[~np.isnan(series)].mean() if len(ascending) else None
    return {
        "n": len(ascending),
        "mean": finite(mean),
        **{name_of(percent): finite(stated_quantile(ascending, percent / 100)) for percent in (50, 95)},
    }


def _around(series: Floats, ascending: Floats, share: float, common: Common | Floats | None) -> Interval | None:
    return percentile_interval(series, ascending, share, common)


def _positive(interval: Interval | None) -> list[float] | None:
    return pair(interval if interval is None else (max(0.0, interval[0]), interval[1]))


def share(flags: Flags, common: Common | Floats | None = None) -> dict[str, Any]:
    """``{value, n, ci95}``: how many of the requests, in the order of time and with what they have in common, have the flag."""
    if not len(flags):
        return {"value": None, "n": 0, "ci95": None}
    count = int(flags.sum())
    return {
        "value": count / len(flags),
        "n": len(flags),
        "ci95": pair(share_interval(count, indicator_dependence(flags, common))),
    }


def rates(rows: Rows, windows: list[tuple[float, float]]) -> dict[str, Any]:
    """Completions and output tokens a second, and requests in flight, as time averages over the windows.

    Each is ``{value, ci95}``. A request counts by the share of its [sent, ended] that lies in the window, whatever phase it was
    sent in: neither the answers begun before the window nor those ended after it bias the figure, and no edge is lost or doubled.
    """
    slices = [slice_rates(rows, window, max(2, round(SLICES / len(windows)))) for window in windows]
    if not slices:
        return {name: {"value": None, "ci95": None} for name in RATES}
    seconds = np.concatenate([width for width, _ in slices])
    sums = np.concatenate([values for _, values in slices])
    blocks = np.repeat(np.arange(len(slices), dtype=np.float64), [len(width) for width, _ in slices])
    return {name: _rate(sums[:, column], seconds, blocks) for column, name in enumerate(RATES)}


def _rate(sums: Floats, seconds: Floats, blocks: Floats) -> dict[str, Any]:
    each = sums / seconds
    return {"value": finite(sums.sum() / seconds.sum()), "ci95": _positive(mean_interval(each, dependence(each, blocks)))}


def slice_rates(rows: Rows, window: tuple[float, float], slices: int) -> tuple[Floats, Floats]:
    """Seconds of each slice, and what fell into it: completions, output tokens, seconds in flight (an array of slices by 3)."""
    sent, ended = rows.number("sent_at"), rows.number("ended_at")
    inside = (sent < window[1]) & (ended > window[0])
    sent, length = sent[inside], np.maximum(ended[inside] - sent[inside], 1e-9)
    answered = rows.ok[inside].astype(np.float64)
    tokens = answered * np.nan_to_num(rows.number("output_tokens")[inside])
    weights = (answered, tokens, length)
    edges = np.linspace(*window, slices + 1)
    shares = (np.clip((edge - sent) / length, 0.0, 1.0) for edge in edges)
    passed = np.array([[inner(part, weight) for weight in weights] for part in shares])
    return np.diff(edges), np.diff(passed, axis=0)

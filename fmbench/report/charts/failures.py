"""Failures by kind over time."""

from __future__ import annotations

import numpy as np

from fmbench.core.table import Words
from fmbench.report.charts.base import Chart
from fmbench.report.charts.timeline import Clock, windows
from fmbench.report.numbers import plural, share
from fmbench.report.picture import Axis, Bars, Mark, Panel, Picture, Values
from fmbench.report.study import Study
from fmbench.report.style import kind_look

BINS = 60


def prepare(study: Study) -> Picture | None:
    """Stacked bars: how many requests failed in each of 60 equal steps, by kind, the most frequent at the bottom."""
    bad = study.unanswered
    kinds = study.kinds[bad]
    ranked = [*kinds.counts().items()]  # rows of a foreign run may say neither what became of them nor why
    if not ranked or not np.isfinite(study.requests.number("sent_at")).any():
        return None
    clock = Clock(study)
    edges = np.linspace(clock.edges[0], clock.edges[-1], BINS + 1)
    bars = _stack(kinds, clock.sent[bad], ranked, clock, edges)
    return Picture(
        title="Failures by kind over time",
        sentence=_sentence(ranked, len(study.requests)),
        panels=(
            Panel(
                title="Failed requests, by when they were sent",
                x=clock.axis(),
                y=Axis(label="Requests a step", low=0.0),
                marks=(*windows(study, clock), *bars),
                height=2.4,
            ),
        ),
        columns=1,
        caption=f"A step is {(edges[1] - edges[0]):.3g} s. Shaded: measured windows. "
        "Requests that never reached a socket have no time, and are in the table only.",
    )


def _stack(kinds: Words, sent: Values, ranked: list[tuple[str, int]], clock: Clock, edges: Values) -> list[Mark]:
    base = np.zeros(BINS)
    middle = clock.of((edges[1:] + edges[:-1]) / 2)
    bars: list[Mark] = []
    width = 0.9 * float(middle[1] - middle[0])
    for place, (kind, _) in enumerate(ranked):
        mine = sent[kinds.is_(kind)]
        height = np.histogram(mine[np.isfinite(mine)], edges)[0].astype(np.float64)
        some = height > 0
        bars.append(Bars(label=kind, look=kind_look(place), x=middle[some], height=height[some], base=base[some], width=width))
        base = base + height
    return bars


def _sentence(ranked: list[tuple[str, int]], total: int) -> str:
    kind, most = ranked[0]
    failed = sum(number for _, number in ranked)
    others = f", of {plural(len(ranked), 'kind')}" if len(ranked) > 1 else ""
    lead = f"{failed:,} of {total:,} requests ({share(failed / total)}) were not answered{others}"
    return f"{lead}; the most frequent is {kind} ({most:,})."


CHARTS = (Chart("failures-time", prepare, section="failures"),)

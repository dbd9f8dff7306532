"""The run over time: measured and steady windows, requests in flight, latency as it went, and failures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fmbench.core.findings.change import ALARM
from fmbench.report.charts.base import Chart
from fmbench.report.numbers import plain, plural, seconds, share
from fmbench.report.picture import Axis, Dots, Line, Mark, Panel, Picture, Rule, Shade, Values, thinned
from fmbench.report.study import Study, unsteady
from fmbench.report.style import LIMIT, MEASURED, SPOILT, STEADY, WINDOW, Look

BINS = 360
MOST = 2500
FAILED = Look(colour=LIMIT, marker="X", dash="solid", hatch="")


def prepare(study: Study) -> Picture | None:
    """Panels over one time axis: windows, in flight, end-to-end latency (a dot a request), failures a bin."""
    if not len(study.requests.known("sent_at")):
        return None
    clock = Clock(study)
    panels = [_windows_panel(study, clock)] if any(True for _ in _spans(study, clock)) else []
    panels.append(_in_flight(study, clock))
    if study.requests.ok.any():
        panels.append(_latency(study, clock))
    if study.unanswered.any():
        panels.append(_failures(study, clock))
    return Picture(
        title="The run over time",
        sentence=_sentence(study),
        panels=tuple(panels),
        columns=1,
        caption=f"Shaded: measured windows. {clock.width_note} Times count from the first request.",
    )


class Clock:
    """Turns epochs into seconds or minutes since the first request, and cuts the run into equal bins."""

    def __init__(self, study: Study) -> None:
        self.sent, self.ended = study.requests.number("sent_at"), study.requests.number("ended_at")
        self.start = study.start
        self.end = max(float(np.nanmax(self.sent)), float(np.nanmax(self.ended, initial=self.start)))
        self.unit, self.scale = ("min", 60.0) if self.end - self.start > 300 else ("s", 1.0)
        self.edges: Values = np.linspace(self.start, max(self.end, self.start + 1e-3), BINS + 1)

    def axis(self) -> Axis:
        return Axis(label=f"Time since the first request ({self.unit})", low=0.0, high=float(self.of(self.edges)[-1]))

    def of(self, epochs: Values) -> Values:
        return (epochs - self.start) / self.scale

    @property
    def width_note(self) -> str:
        return f"A step is {(self.edges[1] - self.edges[0]):.3g} s."


def _spans(study: Study, clock: Clock) -> Iterator[tuple[bool, float, float]]:
    """Each attempt's measured window: whether it counts, from when, to when."""
    for attempt in study.attempts:
        if attempt.get("measure_at") is not None and attempt.get("drain_at") is not None:
            left, right = clock.of(np.array([attempt["measure_at"], attempt["drain_at"]], dtype=np.float64))
            yield study.counts(attempt), float(left), float(right)


def windows(study: Study, clock: Clock) -> list[Mark]:
    """The measured windows, shaded; those that do not count in another shade."""
    shades: list[Mark] = []
    for counts, left, right in _spans(study, clock):
        label, colour = ("measured window", MEASURED) if counts else ("measured again later, does not count", SPOILT)
        shades.append(Shade(label=label, colour=colour, left=left, right=right))
    return shades


def _windows_panel(study: Study, clock: Clock) -> Panel:
    """Two rows of bars: the measured windows, and the part of each that is steady by the data."""
    bars: list[Mark] = []
    for counts, left, right in _spans(study, clock):
        if counts:
            bars.append(Shade(label="", colour=WINDOW, left=left, right=right, bottom=1.15, top=1.85, solid=True))
    for cell in study.cells:
        if steady := cell.get("steady"):
            left, right = clock.of(np.array([steady["from"], steady["to"]], dtype=np.float64))
            bars.append(Shade(label="", colour=STEADY, left=float(left), right=float(right), bottom=0.15, top=0.85, solid=True))
    y = Axis(label="", ticks=(0.5, 1.5), tick_labels=("steady", "window"), low=0.0, high=2.0)
    return Panel(title="Windows: as measured, and steady by the data", x=clock.axis(), y=y, marks=tuple(bars), height=0.5)


def _in_flight(study: Study, clock: Clock) -> Panel:
    lines: list[Mark] = []
    for model in study.models:
        mine = study.of_model(model) & np.isfinite(clock.sent)
        if mine.any():
            begun = np.searchsorted(np.sort(clock.sent[mine]), clock.edges, side="right")
            over = np.searchsorted(np.sort(np.nan_to_num(clock.ended[mine], nan=clock.end)), clock.edges, side="right")
            flying = (begun - over).astype(np.float64)
            flying[_idle(flying)] = np.nan
            lines.append(_steps(study.short(model), replace(study.look(model), dash="solid"), clock, flying))
    y, marks = Axis(label="In flight", low=0.0), (*windows(study, clock), *lines)
    return Panel(title="Requests in flight", x=clock.axis(), y=y, marks=marks, height=1.6)


def _steps(label: str, look: Look, clock: Clock, y: Values) -> Line:
    return Line(label=label, look=look, x=clock.of(clock.edges), y=y, markers=False, steps=True, width=1.3)


def _idle(flying: Values) -> NDArray[np.bool_]:
    empty = flying == 0
    beside = np.zeros_like(empty)
    beside[1:] |= ~empty[:-1]
    beside[:-1] |= ~empty[1:]
    idle: NDArray[np.bool_] = empty & ~beside
    return idle


def _latency(study: Study, clock: Clock) -> Panel:
    e2e = study.requests.number("e2e_s")
    good = study.requests.ok & (e2e > 0) & np.isfinite(clock.sent)
    marks: list[Mark] = windows(study, clock)
    for model in study.models:
        rows = thinned(np.flatnonzero(good & study.of_model(model)), max(200, MOST // max(1, len(study.models))))
        if len(rows):
            x, look = clock.of(clock.sent[rows]), study.look(model)
            marks.append(Dots(label=study.short(model), look=look, x=x, y=e2e[rows], size=2.4, alpha=0.5))
    marks += _changes(study, clock)
    title, y = "End-to-end latency of answered requests, by when they were sent", Axis(label="End to end (s, log)", log=True)
    return Panel(title=title, x=clock.axis(), y=y, marks=tuple(marks), height=2.0)


def _changes(study: Study, clock: Clock) -> Iterator[Rule]:
    """Where the latency took another level inside a window (of a growth: its middle), from what to what; where a slow start was
    over."""
    for attempt in filter(study.counts, study.attempts):
        cell = study.cell(attempt["model"], attempt["bucket"], attempt["concurrency"])
        change = (cell or {}).get("change")
        if change and attempt.get("measure_at") is not None:
            at = float(clock.of(np.array([attempt["measure_at"] + change["at_s"]]))[0])
            label = f"{seconds(change['before_s'])} to {seconds(change['after_s'])}"
            yield Rule(axis="x", value=at, label=label if change["kind"] == "shift" else f"grows, {label}")
        start = (cell or {}).get("falling_start")
        if start and not change and start["p"] * len(study.cells) < ALARM and attempt.get("measure_at") is not None:
            at = float(clock.of(np.array([attempt["measure_at"] + start["lasts_s"]]))[0])
            yield Rule(axis="x", value=at, label=f"begins {plain(start['factor'], significant=2)} times as slow, until here")


def _failures(study: Study, clock: Clock) -> Panel:
    failed = study.unanswered & np.isfinite(clock.sent)
    counts, _ = np.histogram(clock.sent[failed], clock.edges)
    line = _steps("failed or abandoned", FAILED, clock, np.append(counts, 0).astype(np.float64))
    y, marks = Axis(label="Failures a step", low=0.0), (*windows(study, clock), line)
    return Panel(title="Failures", x=clock.axis(), y=y, marks=marks, height=1.2)


def _sentence(study: Study) -> str:
    total, bad = len(study.requests), int(study.unanswered.sum())
    first = f"{plural(total, 'request')} in {plural(len(study.attempts) or len(study.cells), 'cell')}"
    failed = f"{bad:,} ({share(bad / total)}) were not answered" if bad else "every one was answered"
    late = sum(map(unsteady, study.cells))
    if late:
        steady = f"in {plural(late, 'cell')} latency was still changing when the measured window began"
    else:
        kept = "answers kept up with the rate" if study.open_loop else "the users were kept busy"
        steady = f"a flat top in flight means that {kept}"
    return f"{first}; {failed}; {steady}."


CHARTS = (Chart("timeline", prepare, section="timeline"),)

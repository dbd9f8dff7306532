"""The live view of a load: a panel on a terminal, plain lines elsewhere, a line of JSON an event for programs."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fmbench.core.neutral import visible
from fmbench.load.event_words import (
    cell_words,
    failed_words,
    figure_words,
    over_parts,
    over_words,
    rate,
    request_words,
    said_lines,
    seconds,
    waiting_words,
)
from fmbench.load.events import CellDone, CellNow, Event, Waiting, name_of
from fmbench.run.fit import fitted, plain_cell
from fmbench.run.say import Voice, say, tell, voice

PLAIN_EVERY_S = 10.0


class View(Protocol):
    """Somebody who is shown what goes on."""

    def take(self, event: Event) -> None:
        """Something went on."""

    def close(self) -> None:
        """It is over: leave the terminal as it was."""


def view() -> View:
    """What fits where this program's words go."""
    if voice() is Voice.EVENTS:
        return ForPrograms()
    if voice() is Voice.QUIET:
        return Nobody()
    steered = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return OnTerminal() if steered else InLines()


class Nobody:
    """Shows nothing."""

    def take(self, event: Event) -> None: ...

    def close(self) -> None: ...


class ForPrograms(Nobody):
    """A line of JSON an event on stdout."""

    def take(self, event: Event) -> None:
        tell(name_of(event), **asdict(event))


class InLines(Nobody):
    """A line a cell, and one every ten seconds of a long one."""

    def __init__(self) -> None:
        self._said = 0.0
        self._of: tuple[int, str] = (0, "")

    def take(self, event: Event) -> None:
        if isinstance(event, Waiting):
            self._line(waiting_words(event))
        elif isinstance(event, CellDone):
            self._line(over_words(event))
        elif self._of[0] != event.place:
            self._of, self._said = (event.place, event.state), time.monotonic()
        elif time.monotonic() - self._said > PLAIN_EVERY_S:
            self._line(f"{cell_words(event)}, {event.state} · {figure_words(event)}")

    def _line(self, text: str) -> None:
        self._said = time.monotonic()
        say(text)


class OnTerminal:
    """A panel of the cell that is at work, and above it a line for each that is over."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, no_color="NO_COLOR" in os.environ, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def take(self, event: Event) -> None:
        if isinstance(event, Waiting):
            self._live.update(Panel(plain_cell(waiting_words(event)), title="fmbench-load", title_align="left"), refresh=True)
        elif isinstance(event, CellDone):
            words = fitted(over_parts(event), self._console.width)
            self._live.console.print(plain_cell(words), highlight=False, soft_wrap=True)
        else:
            self._live.update(panel(event), refresh=True)

    def close(self) -> None:
        self._live.stop()


def panel(now: CellNow) -> RenderableType:
    """The cell at work: every figure under its name."""
    figures = Table.grid(padding=(0, 3))
    for _ in range(4):
        figures.add_column(overflow="fold")
    for row in _figures(now):
        figures.add_row(*[Text.assemble((f"{name} ", "dim"), value) for name, value in row])
    bar = Table.grid(padding=(0, 1))
    bar.add_row(ProgressBar(total=1.0, completed=_share(now), width=24), Text(_left(now)))
    parts: list[RenderableType] = [Text(_state(now)), figures, _money(now), *_failure_lines(now), bar]
    return Panel(Group(*parts), title=plain_cell(cell_words(now)), title_align="left")


def _figures(now: CellNow) -> list[list[tuple[str, str]]]:
    return [
        [
            ("TTFT p50", seconds(now.ttft.p50)),
            ("p95", seconds(now.ttft.p95)),
            ("n", str(now.ttft.n)),
            ("answers/min", rate(now.answers_per_min)),
        ],
        [
            ("end to end p50", seconds(now.e2e.p50)),
            ("p95", seconds(now.e2e.p95)),
            ("n", str(now.e2e.n)),
            ("output tokens/s", rate(now.output_tokens_per_s)),
        ],
    ]


def _money(now: CellNow) -> Text:
    budget = "" if now.budget_usd is None else f" of {now.budget_usd:g} budgeted"
    cell = "unknown" if now.usd is None else f"{now.usd:.4f}"
    parts = [("USD of this cell", cell), ("of the run", f"{now.usd_run:.4f}{budget}")]
    parts += [("failed", failed_words(now)), ("throttled", str(now.throttled))]
    parts += [] if now.rate_per_min is None else [("dropped", str(now.dropped))]
    return Text("   ").join(Text.assemble((f"{name} ", "dim"), value) for name, value in parts)


def _failure_lines(now: CellNow) -> list[RenderableType]:
    return [Text(visible(line), style="yellow", no_wrap=True, overflow="ellipsis") for line in said_lines(now)]


def _state(now: CellNow) -> str:
    if now.state != "measuring":
        return f"{now.state}: {now.sent} {'requests' if now.attempts is None else 'attempts'} sent"
    end = "until it is decided" if now.until is None else f"until {time.strftime('%H:%M:%S', time.localtime(now.until))}"
    return f"measuring {end}: {request_words(now)} over"


def _share(now: CellNow) -> float:
    return (now.place - 1) / max(now.cells, 1)


def _left(now: CellNow) -> str:
    end = time.strftime("%H:%M:%S", time.localtime(time.time() + now.left_s))
    return f"about {clock(now.left_s)} left, done at {end}"


def clock(seconds: float) -> str:
    """``2:05``, ``1:02:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

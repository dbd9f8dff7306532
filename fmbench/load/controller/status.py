"""The live view: one line a cell on a terminal, with a bar that moves; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Set
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fmbench.config.schema import Config
from fmbench.core.plan import Plan
from fmbench.core.records import Cell
from fmbench.load.tally import Tally, total

PLAIN_EVERY_S = 10.0
LATENCY_S = 2.0
"""What the drain of a cell is taken to last when nothing is known yet."""


@dataclass(slots=True)
class Now:
    """The cell that is being measured."""

    cell: Cell
    workers: int
    began: float
    tally: Tally
    counted: float
    """When ``tally`` last grew: rates are taken up to there, since news comes once a second."""

    def take(self, tally: Tally) -> None:
        """The counts as they are now."""
        if tally.done != self.tally.done:
            self.counted = time.monotonic()
        self.tally = tally


class Progress:
    """Shows where the run is. Writes to stderr only."""

    def __init__(self, config: Config, plan: Plan, finished: Set[int]) -> None:
        self._load = config.load
        self._cells = plan.cells
        self._over = len(finished)
        self._spent: list[float] = []
        self._total = Tally()
        self._now: Now | None = None
        self._console = Console(stderr=True)
        self._live: Live | None = None
        self._said = 0.0
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()

    def cell_begins(self, cell: Cell, workers: int) -> None:
        """Users are let into a cell."""
        self._now = Now(cell, workers, time.monotonic(), Tally(), time.monotonic())
        self._said = time.monotonic()
        self._draw()

    def update(self, tally: Tally) -> None:
        """What the current cell's requests have become so far."""
        if self._now is not None:
            self._now.take(tally)
            self._draw()
            if self._live is None and time.monotonic() - self._said > PLAIN_EVERY_S:
                self._say(f"{self._headline()} · {self._figures()}")

    def add(self, tally: Tally) -> None:
        """The final counts of the cell."""
        if self._now is not None:
            self._now.take(tally)

    def cell_over(self, cell: Cell, status: str, reason: str) -> None:
        """A cell has its line: what came of it stays on the screen."""
        if self._now is None or self._now.cell is not cell:
            line = f"{self._name(cell)}: {status}" + (f" ({reason})" if reason else "")
        else:
            self._spent.append(time.monotonic() - self._now.began)
            note = "" if status == "complete" else f" · {status}: {reason}"
            line = f"{self._headline()} · {self._figures()}{note}"
            self._total = total([self._total, self._now.tally])
        if status != "invalid":
            self._over += 1
        self._now = None
        self._say(line)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _say(self, line: str) -> None:
        self._said = time.monotonic()
        if self._live is None:
            print(line, file=sys.stderr, flush=True)
        else:
            self._live.console.print(Text(line), highlight=False)
            self._draw()

    def _draw(self) -> None:
        if self._live is not None and self._now is not None:
            self._live.update(self._panel(), refresh=True)

    def _panel(self) -> RenderableType:
        assert self._now is not None
        row = Table.grid(padding=(0, 1))
        row.add_row(ProgressBar(total=1.0, completed=self._share(), width=24), Text(self._times()))
        return Group(Text(self._headline(), style="bold"), Text(self._figures()), row)

    def _headline(self) -> str:
        assert self._now is not None
        place = f"[{min(self._over + 1, len(self._cells))}/{len(self._cells)}]"
        crew = f" · {self._now.workers} workers" if self._now.workers > 1 else ""
        return f"{place} {self._name(self._now.cell)}{crew}"

    @staticmethod
    def _name(cell: Cell) -> str:
        return f"{cell.model} · {cell.bucket} · {cell.concurrency} user{'s' if cell.concurrency > 1 else ''}"

    def _figures(self) -> str:
        assert self._now is not None
        tally, elapsed = self._now.tally, max(self._now.counted - self._now.began, 1e-9)
        ttft = tally.ttft_s(0.5)
        parts = [
            f"{tally.done} requests",
            "TTFT -" if ttft is None else f"TTFT {_seconds(ttft)}",
            f"{60 * tally.ok / elapsed:.0f} transactions/min",
            f"{tally.failed} failed" + _kinds(tally),
            f"${self._dollars():.4f}",
        ]
        return " · ".join(parts)

    def _dollars(self) -> float:
        assert self._now is not None
        return self._total.usd + self._now.tally.usd

    def _times(self) -> str:
        left = self._left_s()
        end = time.strftime("%H:%M:%S", time.localtime(time.time() + left))
        return f"{100 * self._share():.0f} % · {_clock(left)} left · done at {end}"

    def _share(self) -> float:
        spent = sum(self._spent) + (0.0 if self._now is None else time.monotonic() - self._now.began)
        return min(1.0, spent / max(spent + self._left_s(), 1e-9))

    def _left_s(self) -> float:
        """Cells to come at what a cell took so far, or should take."""
        expected = self._load.warmup_s + self._load.duration_s + LATENCY_S
        usual = sum(self._spent) / len(self._spent) if self._spent else expected
        left = usual * max(0, len(self._cells) - self._over - (self._now is not None))
        if self._now is not None:
            left += max(1.0, usual - (time.monotonic() - self._now.began))
        return left


def _kinds(tally: Tally) -> str:
    most = tally.failures.most_common(1)
    return f" ({most[0][0]})" if most else ""


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

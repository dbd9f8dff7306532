"""Health of the instrument: once a second each load process writes down how late its event loop was and how busy it is.

What goes on before a step's gate opens (prompts are made ready, users started, garbage collected) has a line of its own: it is no
load, and belongs to no cell.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import orjson

from fmbench.bedrock.credentials import longest_wait_s
from fmbench.bedrock.standing import STANDING
from fmbench.load.clock import now

TICK_S = 0.01


@dataclass(slots=True)
class Second:
    """What happened in this process since the last line."""

    new_connections: int = 0
    start_delay_max_s: float | None = None
    """The longest that a request went out after the plan wanted it, connecting left out."""
    lags: list[float] = field(default_factory=list)

    def note_start(self, delay_s: float, connected: bool) -> None:
        """A request's bytes went out ``delay_s`` after they were wanted, on a new connection or not."""
        self.new_connections += connected
        self.start_delay_max_s = max(delay_s, self.start_delay_max_s or 0.0)


class HealthLog:
    """Writes ``health/<worker>.jsonl``. ``counts`` gives ``(in flight, sent, done)`` when asked."""

    def __init__(self, path: Path, worker: str, counts: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.worker = worker
        self.second = Second()
        self._counts = counts
        self._cpu, self._wall = time.process_time(), time.monotonic()
        self._timer = gevent.get_hub().loop.timer(TICK_S, repeat=TICK_S)
        self._tick_from: float | None = None  # the hub has not come to it yet: what goes on now is not load
        self._timer.again(self._tick)
        self._writer = gevent.spawn(self._write_each_second)

    def begin(self) -> None:
        """A step's gate opens: a line for what went before, and seconds are counted from here."""
        self._writer.kill(block=False)
        self.write()
        self._writer = gevent.spawn(self._write_each_second)

    def close(self) -> None:
        """Write what is left and stop."""
        self._timer.close()
        STANDING.rest()
        self._writer.kill()
        self.write()
        os.close(self._file)

    def write(self) -> None:
        """One line for the time since the last one."""
        second, self.second = self.second, Second()
        line = {"at": now(), **self._time_and_cpu(), "worker": self.worker, **self._lags(second.lags)}
        in_flight, sent, done = self._counts()
        line |= {"in_flight": in_flight, "sent": sent, "done": done}
        line |= {"new_connections": second.new_connections, "start_delay_max_s": second.start_delay_max_s}
        line |= {"credentials_wait_s": longest_wait_s()}
        with suppress(OSError):  # a disk that takes no health takes no journal either, and that is what ends a run
            os.write(self._file, orjson.dumps(line) + b"\n")

    def _tick(self) -> None:
        """Called by the hub itself: a greenlet that sleeps would cost ten times as much, a hundred times a second."""
        now = time.monotonic()
        STANDING.tell(time.monotonic_ns())
        if self._tick_from is not None:
            self.second.lags.append(max(0.0, now - self._tick_from - TICK_S))
        self._tick_from = now
        self._timer.again(self._tick)

    def _write_each_second(self) -> None:
        while True:
            gevent.sleep(1)
            self.write()

    def _time_and_cpu(self) -> dict[str, float]:
        """How long ago the last line was written, and the share of one core that this process used since."""
        cpu, wall = time.process_time(), time.monotonic()
        for_s = max(wall - self._wall, 1e-9)
        share = (cpu - self._cpu) / for_s
        self._cpu, self._wall = cpu, wall
        return {"for_s": for_s, "cpu": round(share, 4)}

    @staticmethod
    def _lags(lags: list[float]) -> dict[str, float | None]:
        ranked = sorted(lags)
        if not ranked:
            return {"lag_p50_s": None, "lag_p99_s": None, "lag_max_s": None}
        last = len(ranked) - 1
        return {"lag_p50_s": ranked[last // 2], "lag_p99_s": ranked[round(last * 0.99)], "lag_max_s": ranked[last]}

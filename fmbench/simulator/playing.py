"""Carries a script out: every byte at its time, every stamp right at its write."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns

from fmbench.simulator.http import Connection
from fmbench.simulator.ledger import Row
from fmbench.simulator.script import Ending, Script, Spent
from fmbench.simulator.served import Pace, ServedModel
from fmbench.simulator.timers import Timers


class Playing:
    """One answer on its way: here one that is written at once. ``on_end(self)`` is called when it is over, whole or not."""

    __slots__ = ("_connection", "_keep_alive", "_on_end", "_timers", "over", "row", "script")

    def __init__(
        self,
        connection: Connection,
        timers: Timers,
        row: Row,
        script: Script,
        on_end: Callable[[Playing], None],
        keep_alive: bool,
    ) -> None:
        self.row, self.script = row, script
        self.over = False
        self._connection, self._timers, self._on_end = connection, timers, on_end
        self._keep_alive = keep_alive
        row.error = script.error

    def start(self) -> None:
        """Begin to answer."""
        self._connection.on_lost = self._client_gone
        self._finish()

    def _finish(self) -> None:
        """All content is sent: write the tail as the script has it."""
        script, now = self.script, monotonic_ns()
        self.row.status = script.status or None
        data = script.tail(self._spent(now))
        if script.drip_ns is not None:
            self._drip(data, 0, now)
        elif script.stall_at is not None and not script.streams:
            half = len(data) // 2
            self._connection.write(data[:half])
            self._timers.at(now + script.stall_ns, lambda _due: self._last(data[half:]))
        else:
            self._last(data)

    def _drip(self, data: bytes, place: int, due_ns: int) -> None:
        if self.over:
            return
        if place + 1 >= len(data):
            self._last(data[place:])
            return
        self._connection.write(data[place : place + 1])
        due_ns += self.script.drip_ns or 0
        self._timers.at(due_ns, lambda due: self._drip(data, place + 1, due))

    def _spent(self, now: int) -> Spent:
        began, content = self.row.complete_ns, self.row.content_ns
        first = content[0] if content else now
        return Spent(round((now - began) / 1e6), round((first - began) / 1e6))

    def _last(self, data: bytes) -> None:
        """Write what is left and end the answer."""
        if self.over:
            return
        if data:
            self._connection.write(data)
        self._end()
        if self.script.ending is Ending.RESET:
            self._connection.reset()
        else:
            self._connection.finish(self._keep_alive and self.script.ending is Ending.KEEP)

    def _client_gone(self) -> None:
        self.row.client_gone = True
        self._end()

    def _end(self) -> None:
        self.over = True
        self._connection.on_lost = None
        self._on_end(self)


class Serving(Playing):
    """An answer that a model generates: it waits for a slot, then for its first token, then for each one after it."""

    __slots__ = ("_event_ns", "_events", "_first_ns", "_model", "_next", "_pause_at", "_waiting", "_write")

    def __init__(
        self,
        connection: Connection,
        timers: Timers,
        row: Row,
        script: Script,
        on_end: Callable[[Playing], None],
        keep_alive: bool,
        model: ServedModel,
        pace: Pace,
    ) -> None:
        super().__init__(connection, timers, row, script, on_end, keep_alive)
        self._model = model
        self._first_ns, self._event_ns = pace.first_ns, pace.event_ns
        self._events = script.events
        self._next = 0
        self._pause_at = len(script.events) if script.stall_at is None else script.stall_at
        self._waiting = True
        self._write = connection.write

    def start(self) -> None:
        """Queue for a slot of the model."""
        self._connection.on_lost = self._client_gone
        self._model.enter(self._begin)

    def _begin(self) -> None:
        """The model has a slot."""
        self._waiting = False
        if self.over:
            self._model.leave()
            return
        now = self.row.started_ns = monotonic_ns()
        if self.script.wait_ns:
            self._timers.at(now + self.script.wait_ns, self._open)
        else:
            self._open(now)

    def _open(self, due_ns: int) -> None:
        """The model starts on the prompt."""
        if self.over:
            return
        if self.script.head:
            self.row.status = self.script.status
            self._write(self.script.head)
        first = self.row.intended_first_ns = due_ns + self._first_ns
        step = self._send if self.script.streams else self._think
        if first <= monotonic_ns():
            step(first)
        else:
            self._timers.at(first, step)

    def _send(self, due_ns: int) -> None:
        """Write the next event; come back for the one after it."""
        if self.over:
            return
        index = self._next
        if index == self._pause_at:
            self._pause(due_ns)
            return
        gap = int(self._event_ns * self._model.slowdown)
        if not gap:
            self._send_rest(due_ns)
            return
        row = self.row
        now = monotonic_ns()
        self._write(self._events[index])
        row.content_ns.append(now)
        if now - due_ns > row.late_max_ns:
            row.late_max_ns = now - due_ns
        self._next = index = index + 1
        if index == len(self._events):
            self._finish()
        else:
            self._timers.at(due_ns + gap, self._send)

    def _send_rest(self, due_ns: int) -> None:
        """Tokens that take no time: all that is left goes in one write, up to a stall."""
        first, last = self._next, self._pause_at
        now = monotonic_ns()
        self._write(b"".join(self._events[first:last]))
        self.row.content_ns.extend([now] * (last - first))
        self.row.late_max_ns = max(self.row.late_max_ns, now - due_ns)
        self._next = last
        self._pause(due_ns)

    def _pause(self, due_ns: int) -> None:
        """A stall, or the end of the events."""
        if self._next >= len(self._events):
            self._finish()
        else:
            self._pause_at = len(self._events)
            self._timers.at(due_ns + self.script.stall_ns, self._send)

    def _think(self, due_ns: int) -> None:
        """An answer that does not stream: the model generates a token; come back for the next, or write it all."""
        if self.over:
            return
        self._next += 1
        gap = int(self._event_ns * self._model.slowdown)
        if self._next >= self.script.silent_tokens or not gap:
            self._finish()
        else:
            self._timers.at(due_ns + gap, self._think)

    def _end(self) -> None:
        super()._end()
        if not self._waiting:
            self._model.leave()

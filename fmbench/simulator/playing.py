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
    """One answer on its way. ``on_end(self)`` is called once, when its last byte is written or its client has gone."""

    __slots__ = (
        "_connection",
        "_due",
        "_events",
        "_keep_alive",
        "_model",
        "_next",
        "_on_end",
        "_over",
        "_pace",
        "_timers",
        "_waiting",
        "row",
        "script",
    )

    def __init__(
        self,
        connection: Connection,
        timers: Timers,
        row: Row,
        script: Script,
        on_end: Callable[[Playing], None],
        *,
        keep_alive: bool,
        model: ServedModel | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.row, self.script = row, script
        self._connection, self._timers, self._on_end = connection, timers, on_end
        self._keep_alive = keep_alive
        self._model, self._pace = model, pace
        self._events = script.events
        self._next = 0
        self._due = 0
        self._over = False
        self._waiting = False

    def start(self) -> None:
        """Queue for a slot of the model, or answer at once when no model is needed."""
        self._connection.on_lost = self._client_gone
        if self._model is None or not self.script.served:
            self._finish(0)
            return
        self._waiting = True
        self._model.enter(self._begin)

    def _begin(self) -> None:
        """The model has a slot."""
        assert self._model is not None and self._pace is not None
        self._waiting = False
        if self._over:
            self._model.leave()
            return
        now = monotonic_ns()
        self.row.started_ns = now
        first = now + self.script.wait_ns + self._pace.first_ns
        self.row.intended_first_ns = first
        if self.script.wait_ns:
            self._timers.at(now + self.script.wait_ns, self._open)
        else:
            self._open(now)

    def _open(self, due_ns: int) -> None:
        """The model starts on the prompt."""
        if self._over:
            return
        if self.script.head:
            self._connection.write(self.script.head)
        self._due = self.row.intended_first_ns or due_ns
        step = self._send if self.script.streams else self._think
        if self._due <= monotonic_ns():
            step(self._due)
        else:
            self._timers.at(self._due, step)

    def _send(self, due_ns: int) -> None:
        """Write the next event; come back for the one after it."""
        if self._over:
            return
        index, events = self._next, self._events
        if index >= len(events):
            self._finish(due_ns)
            return
        if index == self.script.stall_at:
            self.script.stall_at = None
            self._timers.at(due_ns + self.script.stall_ns, self._send)
            return
        gap = self._gap()
        data = events[index] if gap else b"".join(events[index:])
        sent = 1 if gap else len(events) - index
        now = monotonic_ns()
        self._connection.write(data)
        self._stamp(now, due_ns, sent)
        if self._next >= len(events):
            self._finish(due_ns)
        else:
            self._timers.at(due_ns + gap, self._send)

    def _stamp(self, now: int, due_ns: int, sent: int) -> None:
        row = self.row
        if sent == 1:
            row.content_ns.append(now)
        else:
            row.content_ns.extend([now] * sent)
        if now - due_ns > row.late_max_ns:
            row.late_max_ns = now - due_ns
        self._next += sent

    def _think(self, due_ns: int) -> None:
        """An answer that does not stream: the model generates a token; come back for the next, or write it all."""
        if self._over:
            return
        self._next += 1
        gap = self._gap()
        if self._next >= self.script.silent_tokens or not gap:
            self._finish(due_ns)
        else:
            self._timers.at(due_ns + gap, self._think)

    def _gap(self) -> int:
        assert self._model is not None and self._pace is not None
        return int(self._pace.event_ns * self._model.slowdown)

    def _finish(self, due_ns: int) -> None:
        script, now = self.script, monotonic_ns()
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
        if self._over:
            return
        if place + 1 >= len(data):
            self._last(data[place:])
            return
        self._connection.write(data[place : place + 1])
        due_ns += self.script.drip_ns or 0
        self._timers.at(due_ns, lambda due: self._drip(data, place + 1, due))

    def _spent(self, now: int) -> Spent:
        began = self.row.complete_ns
        content = self.row.content_ns
        first = content[0] if content else now
        return Spent(round((now - began) / 1e6), round((first - began) / 1e6))

    def _last(self, data: bytes) -> None:
        """Write what is left and end the answer."""
        if self._over:
            return
        if data:
            self._connection.write(data)
        self._end()
        if self.script.ending is Ending.RESET:
            self._connection.reset()
        else:
            self._connection.finish(self._keep_alive and self.script.ending is Ending.KEEP)

    def _client_gone(self) -> None:
        if self._over:
            return
        self.row.client_gone = True
        self._end()

    def _end(self) -> None:
        self._over = True
        self._connection.on_lost = None
        entered = self._model is not None and self.script.served and not self._waiting
        self._on_end(self)
        if entered and self._model is not None:
            self._model.leave()

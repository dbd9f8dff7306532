"""Answers as server-sent events: what the APIs of OpenAI's and Anthropic's shapes have in common."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fmbench.bedrock import told
from fmbench.bedrock.answers import StreamAnswer, StreamFault, read_json
from fmbench.bedrock.faults import BadResponse, Fault
from fmbench.bedrock.sse import EventReader, fields_of
from fmbench.core.records import Exchange

Json = dict[str, Any]
_DONE = b"[DONE]"
_NAMED = b"event: "


class EventAnswer(StreamAnswer):
    """Events into an ``Exchange``.

    Events are parsed until the first text that is not blank, and all of them when the text is kept. After that it is enough to
    see that a text delta is not empty: ``MARK`` stands right before its text, and cannot stand within a JSON string, where
    quotes are escaped. An event without ``GUARD`` has more to say than its text, and is parsed.
    """

    media_type = "text/event-stream"
    MARK: bytes
    GUARD = b""
    NO_NEWS: frozenset[bytes] = frozenset()
    """Names of events that say nothing which others do not say, and are not parsed."""

    def __init__(self, exchange: Exchange, keep_text: bool) -> None:
        super().__init__(exchange, keep_text)
        self._events = self._decoder = EventReader(self.lines, self.MARK, self.GUARD)
        self._quick = False
        self._content_ns = exchange.content_ns

    def lines(self, event: bytes, now_ns: int) -> None:
        """Take one event. Raises ``BadResponse``, ``StreamFault``."""
        if self._quick:
            at = event.find(self.MARK)
            if at >= 0 and self.GUARD in event:
                at += len(self.MARK)
                if not event.startswith(b'"', at):
                    self._content_ns.append(now_ns)
                return self._events.expect(event, at, self._content_ns)
        if event.startswith(_NAMED) and event[len(_NAMED) : event.find(b"\n")] in self.NO_NEWS:
            return
        name, data = fields_of(event)
        if not data:
            return
        if data == _DONE:
            return self.done()
        body = read_json(data)
        fault = told.fault_of_event(body, name)
        if fault is not None:
            raise StreamFault(fault)
        self.event(body, now_ns)
        self._quick = not self.stopped and self.pieces is None and self.exchange.visible
        if not self._quick:
            self._events.expect_nothing()

    def fault_of_end(self, short: bool) -> Fault | None:
        """A last event that lacks its empty line is taken where it is whole, and the connection ended as it should."""
        rest = self._events.rest()
        if rest is not None and not short:
            with suppress(BadResponse):
                self.lines(*rest)
                self._events.forget()
        return super().fault_of_end(short)

    def done(self) -> None:
        """Take the ``[DONE]`` that some APIs end a stream with."""

    def event(self, body: Json, now_ns: int) -> None:
        """Take the JSON of one event. Raises ``BadResponse``, ``StreamFault``."""
        raise NotImplementedError

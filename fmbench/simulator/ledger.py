"""What truly happened to each request, stamped where it happened. Tests and trials take their expected values from here."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(slots=True, kw_only=True)
class Row:
    """One request. ``*_ns`` are ``time.monotonic_ns`` of this host; ``None`` means that it did not happen (yet).

    The token counts are those that ``usage`` told the client, so they are ``None`` until it did.
    ``prompt_tokens`` and ``tokens_sent`` are what the model truly read and sent.
    """

    n: int
    operation: str
    model: str | None
    connection: int
    request_id: str
    invocation_id: str | None
    received_ns: int
    """The request's first byte."""
    complete_ns: int
    """The request's last byte."""
    in_flight: int
    """Requests being answered when this one came, this one included."""
    prompt_sha256: str | None = None
    prompt_bytes: int | None = None
    prompt_tokens: int | None = None
    max_tokens: int | None = None
    started_ns: int | None = None
    """When the model had a slot for it."""
    intended_first_ns: int | None = None
    content_ns: array[int] = field(default_factory=lambda: array("q"))
    """Stamped just before each event with content was written to the socket."""
    late_max_ns: int = 0
    """The longest that an event was written after it was due."""
    ended_ns: int | None = None
    """Just after the last byte was written."""
    status: int | None = None
    error: str | None = None
    fault: str | None = None
    stop_reason: str | None = None
    tokens_sent: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    completed: bool = False
    """Whether a whole, healthy answer was written."""
    client_gone: bool = False

    def to_dict(self, epoch_offset_ns: int) -> dict[str, Any]:
        """The row as JSON takes it, with ``received_at`` and ``ended_at`` in epoch seconds and the first content on its own."""
        row = {name: getattr(self, name) for name in self.__slots__}
        content = self.content_ns.tolist()
        row["content_ns"] = content
        row["first_content_ns"] = content[0] if content else None
        row["stream_events"] = len(content)
        row["received_at"] = (self.received_ns + epoch_offset_ns) / 1e9
        row["ended_at"] = None if self.ended_ns is None else (self.ended_ns + epoch_offset_ns) / 1e9
        return row


class Ledger:
    """Every request since the start or the last reset, in the order of their arrival."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._count = 0
        self._epoch_offset_ns = time.time_ns() - time.monotonic_ns()
        self.in_flight = 0

    def open(self, **facts: Any) -> Row:
        """A row for a request that has just come; ``close`` it when its answer is over."""
        self._count += 1
        self.in_flight += 1
        row = Row(n=self._count, in_flight=self.in_flight, **facts)
        self._rows.append(row)
        return row

    def close(self, row: Row) -> None:
        """The request's answer is over, one way or another."""
        row.ended_ns = time.monotonic_ns()
        self.in_flight -= 1

    def reset(self) -> None:
        """Forget all rows; numbers start from 1 again. Requests in flight end unrecorded."""
        self._rows.clear()
        self._count = 0

    def lines(self, since: int) -> bytes:
        """JSON lines of the rows numbered above ``since``."""
        offset = self._epoch_offset_ns
        return b"".join(orjson.dumps(row.to_dict(offset), option=orjson.OPT_APPEND_NEWLINE) for row in self._rows[since:])

    def counts(self) -> dict[str, Any]:
        """Sums over all rows; tokens are those told to clients in ``usage``."""
        rows = self._rows
        return {
            "requests": len(rows),
            "completed": sum(row.completed for row in rows),
            "in_flight": self.in_flight,
            "client_gone": sum(row.client_gone for row in rows),
            "by_status": _tally(row.status for row in rows),
            "by_operation": _tally(row.operation for row in rows),
            "by_model": _tally(row.model for row in rows),
            "by_error": _tally(row.error for row in rows),
            "by_fault": _tally(row.fault for row in rows),
            "input_tokens": sum(row.input_tokens or 0 for row in rows),
            "output_tokens": sum(row.output_tokens or 0 for row in rows),
            "cache_read_tokens": sum(row.cache_read_tokens or 0 for row in rows),
            "cache_write_tokens": sum(row.cache_write_tokens or 0 for row in rows),
            "connections": len({row.connection for row in rows}),
        }


def _tally(values: Any) -> dict[str, int]:
    return {str(value): times for value, times in Counter(values).items() if value is not None}

"""Our own deadlines: a socket's read timeout never trips on an endpoint that drips."""

from __future__ import annotations

from dataclasses import dataclass

from fmbench.bedrock.faults import DeadlineReached
from fmbench.bedrock.http1 import ResponseReader
from fmbench.bedrock.standing import STANDING
from fmbench.config.schema import Timeouts
from fmbench.core.failures import FailureKind

LATE_NS = 1_000_000_000
"""A deadline that is looked at so late passed while this process stood still: the wait was its own, not the service's."""


@dataclass(slots=True, frozen=True)
class Deadlines:
    """When to stop waiting for an answer to a request that was sent at ``sent_ns``."""

    sent_ns: int
    timeouts: Timeouts

    def due(self, reader: ResponseReader) -> tuple[int, FailureKind, float]:
        """(when, the word, the limit in seconds) of the deadline that comes first, as things stand."""
        limits = self.timeouts
        total = (self.sent_ns + int(limits.total_s * 1e9), FailureKind.TIMEOUT_TOTAL, limits.total_s)
        if reader.last_ns is None:
            due = self.sent_ns + int(limits.first_byte_s * 1e9)
            return min(total, (due, FailureKind.TIMEOUT_FIRST_BYTE, limits.first_byte_s))
        due = reader.last_ns + int(limits.between_bytes_s * 1e9)
        return min(total, (due, FailureKind.TIMEOUT_BETWEEN_BYTES, limits.between_bytes_s))

    def left_s(self, reader: ResponseReader, now_ns: int) -> float:
        """Seconds until the next deadline, which time that this process stood still does not bring nearer.

        Raises ``DeadlineReached`` when it has passed.
        """
        due, kind, limit = self.due(reader)
        if now_ns >= due:
            due += STANDING.still_ns(due - int(limit * 1e9), now_ns)
        if now_ns >= due + LATE_NS:
            raise DeadlineReached(FailureKind.STALLED, limit)
        if now_ns >= due:
            raise DeadlineReached(kind, limit)
        return (due - now_ns) / 1e9

    def look_again_s(self, reader: ResponseReader, now_ns: int) -> float:
        """Seconds until the deadlines are to be looked at again: the first byte may come at any time, and limits the next."""
        return min(self.left_s(reader, now_ns), self.timeouts.between_bytes_s)

"""Prompt caches: by blocks of the prompt's beginning, as serving engines have them, and by the points that requests set."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic_ns

from fmbench.simulator.text import BYTES_PER_TOKEN, count_tokens

BLOCK_TOKENS = 64
_BLOCK_BYTES = BLOCK_TOKENS * BYTES_PER_TOKEN
_CAPACITY = 65_536
LIFETIME_S = {"5m": 300.0, "1h": 3600.0}


@dataclass(slots=True, frozen=True)
class Cached:
    """What the cache did for one request, in tokens; those of ``written_1h`` are among ``written``."""

    read: int = 0
    written: int = 0
    written_1h: int = 0


@dataclass(slots=True, frozen=True)
class Point:
    """A cache point: after so many bytes of the prompt, kept for ``ttl`` (5m or 1h)."""

    at: int
    ttl: str


class PromptCache:
    """Remembers 65,536 blocks of 64 tokens, each together with all that stood before it; the least recently used go first."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def serve(self, prompt: bytes) -> Cached:
        """The whole blocks at the beginning seen before are read, and the whole blocks that are new are written."""
        read = written = before = 0
        for end in range(_BLOCK_BYTES, len(prompt) + 1, _BLOCK_BYTES):
            before = hash((before, prompt[end - _BLOCK_BYTES : end]))
            if before in self._blocks:
                read += BLOCK_TOKENS
                self._blocks.move_to_end(before)
            else:
                written += BLOCK_TOKENS
                self._blocks[before] = None
        while len(self._blocks) > _CAPACITY:
            self._blocks.popitem(last=False)
        return Cached(read, written)


class PointCache:
    """Remembers prompts up to their cache points for 5 minutes or an hour; each hit starts the time again.

    A beginning shorter than ``least`` tokens is not kept, and nothing is said about it.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._kept: dict[bytes, tuple[int, str]] = {}
        """By digest of the beginning: (until when, for how long)."""

    def serve(self, prompt: bytes, points: list[Point]) -> Cached:
        """The longest beginning that is kept is read; what lies between it and the later points is written."""
        now = monotonic_ns()
        read, written, hour = 0, 0, 0
        for point in sorted(points, key=lambda point: point.at):
            tokens = count_tokens(point.at)
            if tokens < self._least:
                continue
            key = sha256(prompt[: point.at]).digest()
            until, ttl = self._kept.get(key, (0, point.ttl))
            if until > now:
                read, written, hour = tokens, 0, 0
            else:
                fresh = tokens - read - written
                written += fresh
                hour += fresh if point.ttl == "1h" else 0
                ttl = point.ttl
            self._kept[key] = (now + int(LIFETIME_S[ttl] * 1e9), ttl)
        return Cached(read, written, hour)

"""What is true of the demo: its endpoint's profiles played by themselves, in no time and without a load process.

A closed loop over the profile's own formulas (``docs/simulator.md``): slots and their queue, the first token, and each further
one at the pace of the streams in flight. The prompts' lengths are those that the endpoint told. No code of the simulator is used.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Cell = tuple[str, str, int]
"""A model's label, a bucket, users."""
ANSWERS, LEFT_OUT = 6000, 500


@dataclass(frozen=True)
class Truth:
    """The p95 of a cell that is measured for ever, seconds."""

    ttft_p95: float
    e2e_p95: float

    def of(self, objective: str) -> float:
        """What stands against ``ttft_p95_s`` or ``e2e_p95_s``."""
        return {"ttft_p95_s": self.ttft_p95, "e2e_p95_s": self.e2e_p95}[objective]


def truths(config: Mapping[str, Any], lengths: Mapping[str, Sequence[int]]) -> dict[Cell, Truth]:
    """Every cell's truth; ``lengths``: each bucket's prompts in tokens, by the endpoint's count."""
    profiles = config["simulator"]["models"]
    cells = [
        (model, bucket, users) for model in config["models"] for bucket in lengths for users in config["load"]["concurrency"]
    ]
    found = {}
    for model, bucket, users in cells:
        answers = Loop(profiles[model["id"]], lengths[bucket], users).answers(ANSWERS)[LEFT_OUT:]
        ttft, e2e = (float(np.quantile([getattr(one, name) for one in answers], 0.95)) for name in ("ttft_s", "e2e_s"))
        found[model["label"], bucket, users] = Truth(ttft, e2e)
    return found


@dataclass(frozen=True)
class Answer:
    """When it was asked for, seconds since the first user's start, and how long it took."""

    asked: float
    ttft_s: float
    e2e_s: float


class Loop:
    """Users who start spread over ``spread_s`` and ask again as soon as they are answered, and the model that answers them."""

    def __init__(
        self, profile: Mapping[str, Any], prompts: Sequence[int], users: int, spread_s: float = 0.5, seed: int = 1
    ) -> None:
        self._profile, self._prompts = profile, prompts
        self._dice = random.Random(seed)
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = 0
        self._queue: deque[float] = deque()
        self._streams = 0
        self._open: set[float] = set()
        self._done: list[Answer] = []
        for user in range(users):
            self._at(spread_s * user / users, self._ask)

    def answers(self, count: int) -> list[Answer]:
        """The first ``count`` answers, in the order of their ends."""
        while len(self._done) < count:
            now, _, call = heapq.heappop(self._heap)
            call(now)
        return self._done

    def asked_by(self, until_s: float) -> list[Answer]:
        """The answers that are asked for before ``until_s``, in the order of their asking."""
        while self._heap[0][0] < until_s or self._oldest < until_s:
            now, _, call = heapq.heappop(self._heap)
            call(now)
        return sorted((one for one in self._done if one.asked < until_s), key=lambda one: one.asked)

    @property
    def _oldest(self) -> float:
        return min(self._open, default=math.inf)

    def _at(self, when: float, call: Callable[[float], None]) -> None:
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, call))

    def _ask(self, now: float) -> None:
        self._open.add(now)
        if self._streams >= self._profile.get("slots", math.inf):
            self._queue.append(now)
        else:
            self._streams += 1
            self._begin(now, now)

    def _begin(self, now: float, asked: float) -> None:
        profile, dice = self._profile, self._dice
        first = profile["ttft_s"] + dice.choice(self._prompts) / profile["prefill_tokens_per_s"]
        tokens = dice.randint(profile["output_tokens"] - profile["output_tokens"] // 2, profile["output_tokens"] * 3 // 2)
        gap = profile["tpot_s"] * self._noise()
        start = now + first * self._noise()
        self._at(start, lambda when: self._token(when, asked, start, gap, tokens - 1))

    def _token(self, now: float, asked: float, first: float, gap: float, left: int) -> None:
        if left:
            later = now + gap * (1 + self._streams / self._profile["batch"])
            self._at(later, lambda when: self._token(when, asked, first, gap, left - 1))
            return
        self._done.append(Answer(asked, first - asked, now - asked))
        self._open.discard(asked)
        self._streams -= 1
        if self._queue:
            self._streams += 1
            self._begin(now, self._queue.popleft())
        self._ask(now)

    def _noise(self) -> float:
        return math.exp(self._dice.gauss(0.0, self._profile["jitter"]))
